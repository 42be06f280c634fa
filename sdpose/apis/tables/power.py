"""How many pairs of trainings show a difference: the power of Student's paired test."""

import math

from scipy.stats import nct
from scipy.stats import t as student

# Fewer pairs give an interval too wide to mean anything.
ENOUGH = 3
CONFIDENCE, POWER = 0.95, 0.8
_MOST = 10_000


def power_of(pairs: int, spread: float, gain: float) -> float:
    """The probability that the two-sided interval of the mean difference excludes zero on the side of the gain.

    Under a true mean ``gain`` and a standard deviation ``spread`` of the differences, their t statistic follows the
    noncentral t distribution with ``gain / spread * sqrt(pairs)``.

    Args:
        pairs: Pairs of trainings, at least 2.
        spread: Standard deviation of the differences, above 0.
        gain: The true difference, above 0, in the same unit.
    """
    freedom = pairs - 1
    limit = student.ppf((1 + CONFIDENCE) / 2, freedom)
    return float(nct.sf(limit, freedom, gain / spread * math.sqrt(pairs)))


def pairs_needed(spread: float, gain: float = 1.0) -> int | None:
    """The fewest pairs, at least ``ENOUGH``, whose 95 % interval excludes zero with a probability of 80 %.

    Args:
        spread: Standard deviation of the differences.
        gain: The true difference that is to be seen, above 0, in the same unit.

    Returns:
        The number; None if it is above 10,000, or the spread is no number.
    """
    if not math.isfinite(spread):
        return None
    if spread <= 0 or power_of(ENOUGH, spread, gain) >= POWER:
        return ENOUGH
    low, high = ENOUGH, 2 * ENOUGH
    while power_of(high, spread, gain) < POWER:
        low, high = high, 2 * high
        if low > _MOST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power_of(middle, spread, gain) >= POWER else (middle, high)
    return high
