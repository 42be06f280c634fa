"""How many pairs show a difference, by the printed tables of Student's test and by simulation."""

import numpy as np
import pytest
from scipy.stats import t as student

from sdpose.apis.tables.power import pairs_needed, power_of


@pytest.mark.parametrize(
    'spread, gain, pairs',
    [
        (1.0, 1.0, 10),  # Cohen's d 1: 10 pairs for a power of 80 %, two-sided, alpha 5 %
        (2.0, 1.0, 34),  # d 0.5: 34
        (1.25, 1.0, 15),  # d 0.8: 15
        (4.0, 2.0, 34),  # the unit does not matter
        (0.1, 1.0, 3),  # never fewer than an interval takes
        (0.0, 1.0, 3),
        (1e6, 1.0, None),
        (float('nan'), 1.0, None),
    ],
)
def test_pairs_are_the_printed_tables(spread, gain, pairs):
    assert pairs_needed(spread, gain) == pairs


def test_power_is_the_share_of_intervals_above_zero():
    draws = np.random.default_rng(0).normal(1.0, 1.5, (40_000, 6))
    statistic = draws.mean(1) / draws.std(1, ddof=1) * np.sqrt(6)
    share = (statistic > student.ppf(0.975, 5)).mean()
    assert power_of(6, 1.5, 1.0) == pytest.approx(share, abs=0.01)
