"""COCO's ten and CrowdPose's nine numbers, from matches.

Shapes: N predicted people, C categories, T thresholds, R recalls, A ranges of area.
"""

from typing import NamedTuple

import numpy as np

from sdpose.errors import DataError

from .matching import THRESHOLDS, Candidates, matches
from .truth import Truth

_RECALLS = np.linspace(0.0, 1.0, 101)
_RANGES = dict(all=(0.0, 1e5**2), medium=(32.0**2, 96.0**2), large=(96.0**2, 1e5**2))  # of areas, in square pixels
_EASY, _HARD = 0.2, 0.8  # CrowdPose's limits of crowdIndex


class Curves(NamedTuple):
    """Precision and recall, -1 where a category has nobody who counts.

    Attributes:
        precision: (T, R, C, A).
        recall: (T, C, A), the highest.
    """

    precision: np.ndarray
    recall: np.ndarray

    def mean(self, kind: str, area: int = 0, threshold: float | None = None) -> float:
        """The mean of ``'AP'`` or ``'AR'`` over thresholds and categories; -1 if nobody counts."""
        values = self.precision if kind == 'AP' else self.recall
        values = values[..., area] if threshold is None else values[THRESHOLDS == threshold][..., area]
        values = values[values > -1]
        return float(np.mean(values)) if values.size else -1.0


def coco_numbers(
    candidates: Candidates, truth: Truth, sigmas: np.ndarray, use_area: bool
) -> tuple[dict[str, float], dict[str, float]]:
    """The ten numbers of COCO's evaluation, and those of them that differ where results come without boxes.

    Predicted people whom nobody matches count only in ranges that their area lies in. MMPose takes that of their boxes;
    COCO's server, which gets none, what their joints span.

    Args:
        candidates: Predicted people.
        truth: Annotated people.
        sigmas: (K,), of the joints.
        use_area: Whether the file's areas count, else 0.53 of the boxes'.
    """
    areas = truth.areas(use_area)
    ranges = list(_RANGES.values())
    ignored = truth.ignored(crowded=False)[:, None] | _beyond(areas, ranges)
    found = matches(candidates, truth, areas, ignored, sigmas)
    curves = _curves(candidates, truth, ignored, *found, _beyond(candidates.areas, ranges))
    numbers = {
        f'{kind}{name}': curves.mean(kind, area, threshold)
        for kind in ('AP', 'AR')
        for name, area, threshold in (
            ('', 0, None),
            (' .5', 0, 0.5),
            (' .75', 0, 0.75),
            (' (M)', 1, None),
            (' (L)', 2, None),
        )
    }
    beyond = _beyond(candidates.spans, ranges)
    if np.array_equal(beyond, _beyond(candidates.areas, ranges)):
        return numbers, {}
    curves = _curves(candidates, truth, ignored, *found, beyond)
    without = {name: curves.mean('AP', area) for area, name in enumerate(('AP', 'AP (M)', 'AP (L)'))}
    return numbers, {name: value for name, value in without.items() if value != numbers[name]}


def crowd_numbers(candidates: Candidates, truth: Truth, sigmas: np.ndarray, use_area: bool) -> dict[str, float]:
    """The nine numbers of CrowdPose's evaluation: in all, and by how crowded images are.

    Args:
        candidates: Predicted people.
        truth: Annotated people.
        sigmas: (K,), of the joints.
        use_area: Whether the file's areas count, else 0.53 of the boxes'.

    Raises:
        DataError: If an image has no ``crowdIndex``.
    """
    lacking = np.isnan(truth.crowding)
    if lacking.any():
        raise DataError(f'{truth.file}: {lacking.sum()} images have no crowdIndex, by which CrowdPose divides them')
    areas, ranges = truth.areas(use_area), [_RANGES['all']]
    ignored = truth.ignored(crowded=True)[:, None] | _beyond(areas, ranges)
    found = matches(candidates, truth, areas, ignored, sigmas)
    beyond = _beyond(candidates.areas, ranges)
    curves = _curves(candidates, truth, ignored, *found, beyond)
    numbers = {
        f'{kind}{name}': curves.mean(kind, 0, threshold)
        for kind in ('AP', 'AR')
        for name, threshold in (('', None), (' .5', 0.5), (' .75', 0.75))
    }
    easy, hard = truth.crowding < _EASY, truth.crowding >= _HARD
    for name, images in (('AP(E)', easy), ('AP(M)', ~easy & ~hard), ('AP(H)', hard)):
        precision = _curves(candidates, truth, ignored, *found, beyond, images).precision
        numbers[name] = round(float(np.mean(precision)), 4)  # CrowdPose's rounding, and its mean, -1 included
    return numbers


def _beyond(areas: np.ndarray, ranges: list[tuple[float, float]]) -> np.ndarray:
    """Whether areas (N,) lie outside of ranges: (N, A)."""
    return np.stack([(areas < low) | (areas > high) for low, high in ranges], axis=1)


def _curves(
    candidates: Candidates,
    truth: Truth,
    ignored: np.ndarray,
    matched: np.ndarray,
    aside: np.ndarray,
    beyond: np.ndarray,
    images: np.ndarray | None = None,
) -> Curves:
    """Precision and recall.

    Args:
        candidates: Predicted people.
        truth: Annotated people.
        ignored: (G, A), who of them does not count.
        matched: (N, A, T), as :func:`matches` returns it.
        aside: (N, A, T), likewise.
        beyond: (N, A), whether a predicted person does not count where nobody matches it.
        images: Mask over the images that count; None for all.
    """
    shape = (len(THRESHOLDS), len(_RECALLS), len(truth.categories), ignored.shape[1])
    precision, recall = -np.ones(shape), -np.ones((shape[0], *shape[2:]))
    chosen = np.ones(len(truth.images), bool) if images is None else images
    for category in range(len(truth.categories)):
        people = np.flatnonzero(_in_group(candidates.group, category, chosen))
        people = people[np.argsort(-candidates.scores[people], kind='mergesort')]
        annotated = _in_group(truth.group, category, chosen)
        for area in range(shape[3]):
            number = int(np.count_nonzero(~ignored[annotated, area]))
            if not number:
                continue
            for threshold in range(shape[0]):
                hit = matched[people, area, threshold]
                counted = np.where(hit, ~aside[people, area, threshold], ~beyond[people, area])
                precision[threshold, :, category, area], recall[threshold, category, area] = _curve(
                    hit & counted, ~hit & counted, number
                )
    return Curves(precision, recall)


def _in_group(group: np.ndarray, category: int, images: np.ndarray) -> np.ndarray:
    """Which people are of a category and of chosen images."""
    place = group - category * len(images)
    inside = (place >= 0) & (place < len(images))
    inside[inside] = images[place[inside]]
    return inside


def _curve(right: np.ndarray, wrong: np.ndarray, number: int) -> tuple[np.ndarray, float]:
    """Precision (R,) at each recall, and the highest recall, of people by falling score.

    Args:
        right: (N,), who is right.
        wrong: (N,), who is wrong; others do not count.
        number: How many annotated people count.
    """
    if not len(right):
        return np.zeros(len(_RECALLS)), 0.0
    right_so_far, wrong_so_far = np.cumsum(right).astype(float), np.cumsum(wrong).astype(float)
    recall = right_so_far / number
    precision = right_so_far / (wrong_so_far + right_so_far + np.spacing(1))
    precision = np.maximum.accumulate(precision[::-1])[::-1]  # the highest at this recall or a higher one
    place = np.searchsorted(recall, _RECALLS, side='left')
    return np.append(precision, 0.0)[place], recall[-1]
