"""How far an AP would differ on other images of the same kind: the images are drawn again, with replacement.

People are matched once. A resample changes only how often each image counts, so that it costs a few sums.
"""

import numpy as np

from sdpose.evaluation.coco.matching import THRESHOLDS
from sdpose.evaluation.coco.numbers import RECALLS

from .evaluation import Evaluation

DRAWS = 1000
LEAST_IMAGES = 10
"""Images with people who count, fewer of which tell nothing of others."""
_INTERVAL = (2.5, 97.5)  # per cent


def draw_images(images: int, draws: int = DRAWS, seed: int = 0) -> np.ndarray:
    """How often each image counts in each resample: (B, I)."""
    rng = np.random.default_rng(seed)
    return np.stack([np.bincount(rng.integers(images, size=images), minlength=images) for _ in range(draws)])


def resampled_aps(evaluation: Evaluation, weights: np.ndarray) -> np.ndarray:
    """The AP (B, T) at each threshold of each resample; NaN for a resample in which nobody counts.

    Args:
        evaluation: The evaluation.
        weights: (B, I), how often each image counts.
    """
    candidates, truth = evaluation.candidates, evaluation.truth
    order = np.argsort(-candidates.scores, kind='mergesort')
    image = candidates.group[order] % len(truth.images)
    matched, aside = (mask[order, 0].T for mask in evaluation.matched)  # (T, N)
    ranked = [_Ranked(*each) for each in zip(matched & ~aside, aside)]
    people = np.bincount(truth.group[~evaluation.ignored] % len(truth.images), minlength=len(truth.images))
    aps = np.full((len(weights), len(THRESHOLDS)), np.nan)
    for number, weight in enumerate(weights):
        count = int((weight * people).sum())
        if count:
            own = weight[image]
            total = np.cumsum(own)
            aps[number] = [each.ap(own, total, count) for each in ranked]
    return aps


def interval(values: np.ndarray) -> tuple[float, float]:
    """The middle 95 per cent of values."""
    low, high = np.nanpercentile(values, _INTERVAL)
    return float(low), float(high)


class _Ranked:
    """Predicted people by falling score at one threshold.

    Args:
        right: (N,), who is right.
        aside: (N,), who does not count.
    """

    def __init__(self, right: np.ndarray, aside: np.ndarray) -> None:
        self.right, self.aside = np.flatnonzero(right), np.flatnonzero(aside)
        self.aside_before = np.searchsorted(self.aside, self.right)

    def ap(self, weights: np.ndarray, total: np.ndarray, people: int) -> float:
        """The mean precision over recalls.

        Only at right people can precision be highest for its recall, so that only they are looked at.

        Args:
            weights: (N,), how often each predicted person counts.
            total: (N,), their running sum.
            people: How many annotated people count.
        """
        right = np.cumsum(weights[self.right])
        left_out = np.concatenate([[0], np.cumsum(weights[self.aside])])[self.aside_before]
        precision = right / np.maximum(total[self.right] - left_out, 1)
        precision = np.maximum.accumulate(precision[::-1])[::-1]
        place = np.searchsorted(right / people, RECALLS, side='left')
        return float(np.append(precision, 0.0)[place].mean())
