"""Whether scores tell how good a prediction is."""

from typing import NamedTuple

import numpy as np
from scipy.stats import spearmanr

_BINS = 10


class Calibration(NamedTuple):
    """Scores beside what they should tell.

    Attributes:
        scores: (B,), the mean score of each bin.
        values: (B,), the mean of what is predicted.
        counts: (B,), how many there are.
        error: The mean distance of a bin's score and value, weighted by counts; NaN where scores leave 0 to 1.
        correlation: Spearman's; NaN where scores or values are all equal.
    """

    scores: np.ndarray
    values: np.ndarray
    counts: np.ndarray
    error: float
    correlation: float


def calibrate(scores: np.ndarray, values: np.ndarray) -> Calibration:
    """Bin scores (N,) of predictions and compare them with their values (N,), such as OKS.

    Scores from 0 to 1 are binned by tenths, others by quantiles, as no scale of theirs is known.
    """
    shares = bool(len(scores)) and 0 <= scores.min() and scores.max() <= 1
    tenths = np.linspace(0, 1, _BINS + 1)
    edges = tenths if shares or not len(scores) else np.quantile(scores, tenths)
    place = np.clip(np.searchsorted(edges, scores, side='right') - 1, 0, _BINS - 1)
    counts = np.bincount(place, minlength=_BINS)
    filled = counts > 0
    means = [np.bincount(place, each, minlength=_BINS)[filled] / counts[filled] for each in (scores, values)]
    counts = counts[filled]
    error = float((np.abs(means[0] - means[1]) * counts).sum() / counts.sum()) if shares else float('nan')
    varied = len(scores) > 1 and np.ptp(scores) > 0 and np.ptp(values) > 0
    correlation = float(spearmanr(scores, values).statistic) if varied else float('nan')
    return Calibration(means[0], means[1], counts, error, correlation)
