"""Groups of annotated people by size, labelled joints, crowding and truncation, and the numbers of each."""

from typing import NamedTuple

import numpy as np

from sdpose.evaluation.coco.numbers import EASY, HARD, beyond_ranges
from sdpose.evaluation.coco.pairs import BOXES, pairs_of_ranges
from sdpose.evaluation.coco.truth import Truth

from .evaluation import Evaluation

_SIDES = (0, 32, 64, 96, 192, 1e5)  # roots of areas, in pixels
_SHARES = (0.3, 0.6, 0.9, 1.0)  # of the joints; of COCO's 17 these are 5, 10, 15 and 17
_OVERLAPS = (0.0, 0.1, 0.3, 0.5)
_BORDER = 1.0  # pixels


class Group(NamedTuple):
    """Some of the annotated people.

    Attributes:
        name: What they are.
        people: (G,), a mask.
        areas: What their areas lie between, in square pixels, where size is what makes the group.
        images: (I,), a mask, where the image is what makes the group.
    """

    name: str
    people: np.ndarray
    areas: tuple[float, float] | None = None
    images: np.ndarray | None = None


class GroupNumbers(NamedTuple):
    """How well a group is found.

    Attributes:
        name: Of the group.
        people: How many count.
        ap: COCO's, with the others ignored. Unmatched predictions count where their size or image is the group's, as
            COCO and CrowdPose have it; in other groups, where the person whose box they overlap most is of the group.
        ar: The share that is matched, over thresholds.
        oks: The mean, 0 for people with whom nobody is paired.
    """

    name: str
    people: int
    ap: float
    ar: float
    oks: float


def group_numbers(evaluation: Evaluation, groups: list[Group], oks: np.ndarray) -> list[GroupNumbers]:
    """The numbers of groups in which somebody counts.

    Args:
        evaluation: The evaluation.
        groups: Groups of its annotated people.
        oks: (G,), of each annotated person, 0 for nobody.
    """
    found, nearest = [], nearest_people(evaluation)
    for group in groups:
        people = group.people & ~evaluation.ignored
        if not people.any():
            continue
        if group.images is not None:
            curves = evaluation.curves(group.images)
        elif group.areas is not None:
            outside = beyond_ranges(evaluation.candidates.areas, [group.areas])[:, 0]
            curves = evaluation.of(people).curves(outside=outside)
        else:
            curves = evaluation.of(people).curves(outside=(nearest < 0) | ~people[nearest])
        mean_oks = float(oks[people].mean())
        found.append(GroupNumbers(group.name, int(people.sum()), curves.mean('AP'), curves.mean('AR'), mean_oks))
    return found


def nearest_people(evaluation: Evaluation) -> np.ndarray:
    """The annotated person (N,) whose box each prediction's joints overlap most; -1 where they overlap nobody's."""
    candidates, truth = evaluation.candidates, evaluation.truth
    low, high = candidates.joints.min(axis=1), candidates.joints.max(axis=1)
    spans = np.concatenate([low, high - low], axis=1)
    starts, ends = (np.searchsorted(truth.group, candidates.group, side=side) for side in ('left', 'right'))
    nearest, largest = np.full(len(spans), -1), np.zeros(len(spans))
    for one, other in pairs_of_ranges(starts, ends, BOXES):
        iou = box_ious(spans[one], truth.boxes[other])
        np.maximum.at(largest, one, iou)
        best = (iou == largest[one]) & (iou > 0)  # the partners of one prediction stay together
        nearest[one[best]] = other[best]
    return nearest


def by_size(areas: np.ndarray) -> list[Group]:
    """People by the root of their area; bounds belong to both sides, as COCO's do."""
    groups = []
    for low, high in zip(_SIDES, _SIDES[1:]):
        name = f'over {low}²' if high == _SIDES[-1] else f'{low}² to {high}²' if low else f'under {high}²'
        bounds = (float(low) ** 2, float(high) ** 2)
        groups.append(Group(f'{name} px', ~beyond_ranges(areas, [bounds])[:, 0], bounds))
    return groups


def by_labelled(truth: Truth) -> list[Group]:
    """People by the number of their labelled joints."""
    number, joints = truth.labelled.sum(axis=1), truth.labelled.shape[1]
    highest = [0, *sorted({round(share * joints) for share in _SHARES} - {0})]
    return [
        Group(f'{low + 1}–{high}' if high > low + 1 else f'{high}', (number > low) & (number <= high))
        for low, high in zip(highest, highest[1:])
    ]


def by_overlap(truth: Truth) -> list[Group]:
    """People by the largest intersection over union (IoU) of their box with a neighbour's."""
    overlap = largest_overlaps(truth)
    groups = [Group('none', overlap <= 0)]
    for low, high in zip(_OVERLAPS, (*_OVERLAPS[1:], 1.0)):
        name = f'over {low:g}' if high == 1 else f'{low:g} to {high:g}' if low else f'under {high:g}'
        groups.append(Group(name, (overlap > low) & (overlap <= high)))
    return groups


def largest_overlaps(truth: Truth) -> np.ndarray:
    """The largest IoU (G,) of each box with that of another annotated person of the image who is no group."""
    largest = np.zeros(len(truth.group))
    starts, ends = (np.searchsorted(truth.group, truth.group, side=side) for side in ('left', 'right'))
    for one, other in pairs_of_ranges(starts, ends, BOXES):
        keep = (one != other) & ~truth.crowd[other]
        one, other = one[keep], other[keep]
        np.maximum.at(largest, one, box_ious(truth.boxes[one], truth.boxes[other]))
    return largest


def box_ious(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """IoU (P,) of boxes (P, 4): left, top, width, height."""
    low, high = np.maximum(one[:, :2], other[:, :2]), np.minimum(one[:, :2] + one[:, 2:], other[:, :2] + other[:, 2:])
    common = np.maximum(high - low, 0).prod(axis=1)
    union = one[:, 2:].prod(axis=1) + other[:, 2:].prod(axis=1) - common
    return np.divide(common, union, out=np.zeros(len(common)), where=union > 0)


def by_crowd_index(truth: Truth) -> list[Group]:
    """People by how crowded their image is: CrowdPose's parts of crowdIndex, computed where a file has none."""
    crowding = np.where(np.isnan(truth.crowding), crowd_indices(truth), truth.crowding)
    place = truth.group % len(truth.images)
    easy, hard = crowding < EASY, crowding >= HARD
    parts = {'easy, under 0.2': easy, 'medium, 0.2 to 0.8': ~easy & ~hard, 'hard, over 0.8': hard}
    return [Group(name, images[place], images=images) for name, images in parts.items()]


def crowd_indices(truth: Truth) -> np.ndarray:
    """CrowdPose's index (I,): the mean over labelled people of others' joints in a person's box by the person's own.

    0 for images without labelled people; not bounded by 1. For one image, :func:`sdpose.synthetic.styles.crowd_index`.
    """
    own, others = truth.labelled.sum(axis=1), np.zeros(len(truth.group))
    starts, ends = (np.searchsorted(truth.group, truth.group, side=side) for side in ('left', 'right'))
    for one, other in pairs_of_ranges(starts, ends, BOXES // truth.labelled.shape[1] + 1):
        keep = one != other
        one, other = one[keep], other[keep]
        corner, size = truth.boxes[one, None, :2], truth.boxes[one, None, 2:]
        within = ((truth.joints[other] >= corner) & (truth.joints[other] <= corner + size)).all(axis=-1)
        np.add.at(others, one, (within & truth.labelled[other]).sum(axis=1))
    counted, place = own > 0, truth.group % len(truth.images)
    people = np.bincount(place[counted], minlength=len(truth.images))
    total = np.bincount(place[counted], others[counted] / own[counted], minlength=len(truth.images))
    return np.divide(total, people, out=np.zeros(len(people)), where=people > 0)


def by_truncation(truth: Truth, sizes: np.ndarray) -> list[Group]:
    """People whose box reaches the border of the image, and the others.

    Args:
        truth: The annotated people.
        sizes: (I, 2), width and height of the images in the truth's order.
    """
    size = sizes[truth.group % len(truth.images)]
    low, high = truth.boxes[:, :2], truth.boxes[:, :2] + truth.boxes[:, 2:]
    cut = (low <= _BORDER).any(axis=1) | (high >= size - _BORDER).any(axis=1)
    return [Group('inside', ~cut), Group('cut by the border', cut)]
