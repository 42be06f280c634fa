"""Two evaluations of the same people, person by person."""

from typing import NamedTuple

import numpy as np

from .bootstrap import LEAST_IMAGES, interval

_EVEN = 0.01  # of OKS, within which nobody wins


class PairedDifference(NamedTuple):
    """The OKS of one run less that of the other, over people.

    Attributes:
        people: How many.
        mean: The mean difference.
        low, high: The middle 95 per cent of it over resampled images; None for people of fewer than 10 images.
        better, worse: How many people each run wins by more than 0.01.
    """

    people: int
    mean: float
    low: float | None
    high: float | None
    better: int
    worse: int


def paired_difference(oks: np.ndarray, other: np.ndarray, image: np.ndarray, weights: np.ndarray) -> PairedDifference:
    """Compare the OKS of the same people in two runs.

    Args:
        oks: (G,), of each person in one run, 0 where nobody is paired.
        other: (G,), in the other.
        image: (G,), place of the person's image.
        weights: (B, I), how often each image counts in each resample.
    """
    gained = oks - other
    total = np.bincount(image, gained, minlength=weights.shape[1])
    people = np.bincount(image, minlength=weights.shape[1])
    bounds: tuple[float | None, float | None] = (None, None)
    if (people > 0).sum() >= LEAST_IMAGES:
        with np.errstate(invalid='ignore'):  # nobody is in a resample
            bounds = interval((weights @ total) / (weights @ people))
    return PairedDifference(
        len(oks), float(gained.mean()), *bounds, int((gained > _EVEN).sum()), int((gained < -_EVEN).sum())
    )
