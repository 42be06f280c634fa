"""Which predicted person stands for which annotated one, by object key point similarity (OKS), at every threshold.

Shapes: N predicted and G annotated people, K joints, P pairs, T thresholds, A ranges of area.
"""

from typing import NamedTuple

import numpy as np

from .pairs import PEOPLE, pairs_of_ranges
from .predictions import Predictions
from .truth import Truth

THRESHOLDS = np.linspace(0.5, 0.95, 10)
_MOST = 20  # people that are counted of an image and a category


class Candidates(NamedTuple):
    """The predicted people that count, by category and image, within one from the highest score on.

    Attributes:
        group: (N,), place of the category times the number of images plus place of the image; rising.
        rank: (N,), place within the image, from 0.
        place: (N,), place among all predicted people.
        scores: (N,), float64.
        joints: (N, K, 2), in pixels.
        areas: (N,), of the boxes, or of what the joints span where there are no boxes, in square pixels.
        spans: (N,), of what the joints span.
    """

    group: np.ndarray
    rank: np.ndarray
    place: np.ndarray
    scores: np.ndarray
    joints: np.ndarray
    areas: np.ndarray
    spans: np.ndarray


def choose_candidates(people: Predictions, scores: np.ndarray, truth: Truth) -> Candidates:
    """The 20 people of the highest scores of each image and category, but for those whose joints' scores are all 0.

    Args:
        people: Predicted people of images of the file.
        scores: (N,), theirs.
        truth: The file.
    """
    category = np.searchsorted(truth.categories, people.category)
    known = truth.categories[np.minimum(category, len(truth.categories) - 1)] == people.category
    which = np.flatnonzero(known & (people.joint_scores > 0).any(axis=1))
    group = category[which] * len(truth.images) + np.searchsorted(truth.images, people.image[which])
    order = np.lexsort((-scores[which].astype(float), group))
    group, which = group[order], which[order]
    rank = np.arange(len(group)) - np.searchsorted(group, group)
    which, group, rank = which[rank < _MOST], group[rank < _MOST], rank[rank < _MOST]
    joints = people.joints[which]
    sides = joints.max(axis=1).astype(float) - joints.min(axis=1).astype(float)
    spans = sides[:, 0] * sides[:, 1]
    areas = spans
    if people.boxes is not None:
        boxes = people.boxes[which].astype(float)
        areas = boxes[:, 2] * boxes[:, 3]
    return Candidates(group, rank, which, scores[which].astype(float), joints, areas, spans)


def matches(
    candidates: Candidates, truth: Truth, areas: np.ndarray, ignored: np.ndarray, sigmas: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Whether each predicted person is matched, and whether that is with somebody who does not count.

    Args:
        candidates: The predicted people.
        truth: The annotated people.
        areas: (G,), theirs.
        ignored: (G, A), whether an annotated person does not count.
        sigmas: (K,), of the joints.

    Returns:
        Two masks (N, A, T); the second holds where the first does.
    """
    found = partners(candidates, truth, areas, ignored, sigmas)
    matched = found >= 0
    of_range = np.arange(ignored.shape[1])[:, None]
    return matched, matched & ignored[found, of_range] if len(ignored) else np.zeros_like(matched)


def partners(
    candidates: Candidates,
    truth: Truth,
    areas: np.ndarray,
    ignored: np.ndarray,
    sigmas: np.ndarray,
    thresholds: np.ndarray = THRESHOLDS,
) -> np.ndarray:
    """The annotated person whom each predicted one is matched with.

    From the highest score on, each takes the annotated person of the largest OKS who is free, the last of equal ones;
    one who does not count, only where no other is left; a group is always free.

    Args:
        candidates: The predicted people.
        truth: The annotated people.
        areas: (G,), theirs.
        ignored: (G, A), whether an annotated person does not count.
        sigmas: (K,), of the joints.
        thresholds: (T,), rising OKS that a match must reach.

    Returns:
        (N, A, T), places of annotated people, -1 for nobody.
    """
    predicted, annotated, similarity = alike_pairs(candidates, truth, areas, sigmas, thresholds[0])
    shape = (ignored.shape[1], len(thresholds))
    matched = np.full((len(candidates.rank), *shape), -1)
    taken = np.zeros((len(truth.group), *shape), bool)
    rank = candidates.rank[predicted]
    for number in range(rank.max(initial=-1) + 1):
        turn = rank == number
        people, of_pair = np.unique(predicted[turn], return_inverse=True)
        found = _choose(
            of_pair, annotated[turn], similarity[turn], len(people), taken, ignored, truth.crowd, thresholds
        )
        person, area, threshold = np.nonzero(found >= 0)
        taken[found[person, area, threshold], area, threshold] = True
        matched[people] = found
    return matched


def _choose(
    people: np.ndarray,
    annotated: np.ndarray,
    similarity: np.ndarray,
    count: int,
    taken: np.ndarray,
    ignored: np.ndarray,
    crowd: np.ndarray,
    thresholds: np.ndarray,
) -> np.ndarray:
    """The partners of people whose turn it is, each of another image or category.

    Args:
        people: (P,), places of 0 to ``count - 1``, rising.
        annotated: (P,), with whom they are alike, in the file's order.
        similarity: (P,), their OKS.
        count: How many people there are.
        taken: (G, A, T), who is matched already.
        ignored: (G, A), who does not count.
        crowd: (G,), who may be matched again.
        thresholds: (T,), the OKS that is asked for.

    Returns:
        Places of annotated people (count, A, T), -1 for none.
    """
    best = np.broadcast_to(np.minimum(thresholds, 1 - 1e-10), (count, *taken.shape[1:])).copy()
    found = np.full(best.shape, -1)
    turns = np.arange(len(people)) - np.searchsorted(people, people)
    for of_ignored in (False, True):
        unsettled = found < 0
        for turn in range(turns.max(initial=-1) + 1):
            pairs = turns == turn  # one of each person at most
            person, partner, value = people[pairs], annotated[pairs], similarity[pairs, None, None]
            free = ~taken[partner] | crowd[partner, None, None]
            better = free & unsettled[person] & (ignored[partner] == of_ignored)[..., None] & (value >= best[person])
            best[person] = np.where(better, value, best[person])
            found[person] = np.where(better, partner[:, None, None], found[person])
    return found


def alike_pairs(
    candidates: Candidates, truth: Truth, areas: np.ndarray, sigmas: np.ndarray, least: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All pairs of one image and category with an OKS of ``least`` or more.

    Returns:
        Places of predicted people, rising, and of annotated ones, and the OKS, each (P,).
    """
    variances = (sigmas * 2) ** 2
    number = truth.labelled.sum(axis=1)
    labelled = np.argsort(~truth.labelled, axis=1, kind='stable')  # (G, K), labelled joints first
    starts, ends = (np.searchsorted(truth.group, candidates.group, side=side) for side in ('left', 'right'))
    found = []
    for predicted, annotated in pairs_of_ranges(starts, ends, PEOPLE):
        similarity = np.zeros(len(predicted))
        of_pair = number[annotated]
        # As many joints in one array: each row is summed as xtcocotools sums it.
        for count in np.unique(of_pair).tolist():
            which = np.flatnonzero(of_pair == count)
            one, other = predicted[which], annotated[which]
            if count:
                joints = labelled[other, :count]
                away = candidates.joints[one[:, None], joints] - truth.joints[other[:, None], joints]
                spread = variances[joints]
            else:
                away, spread = _outside(candidates.joints[one].astype(float), truth.boxes[other]), variances
            decay = (away[..., 0] ** 2 + away[..., 1] ** 2) / spread / (areas[other] + np.spacing(1))[:, None] / 2
            similarity[which] = np.exp(-decay).sum(axis=1) / decay.shape[1]
        high = similarity >= least  # a NaN is not
        found.append((predicted[high], annotated[high], similarity[high]))
    if not found:
        return np.empty(0, int), np.empty(0, int), np.empty(0)
    predicted, annotated, similarity = (np.concatenate(part) for part in zip(*found))
    return predicted, annotated, similarity


def _outside(joints: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """How far joints (P, K, 2) lie outside of boxes (P, 4) of three times the width and height."""
    corner, size = boxes[:, None, :2], boxes[:, None, 2:]
    return np.maximum(0, corner - size - joints) + np.maximum(0, joints - (corner + size * 2))
