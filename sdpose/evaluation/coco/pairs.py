"""Pairs of things that lie in ranges: which are compared with which, a bounded number at a time."""

from collections.abc import Iterator

import numpy as np

PEOPLE, BOXES = 8192, 65536
"""Pairs of people with their joints, and of boxes, at once: so many stay in the processor's cache."""


def pairs_of_ranges(starts: np.ndarray, ends: np.ndarray, most: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs of each number i of 0 to N - 1 with all of ``starts[i]`` to ``ends[i] - 1``, in that order.

    Args:
        starts: (N,), the first partner of each.
        ends: (N,), behind the last one.
        most: Pairs at once, roughly: the partners of one number stay together.

    Yields:
        The first and the second of some of the pairs, each as an array of places.
    """
    counts = np.maximum(ends - starts, 0)
    before = np.concatenate([[0], np.cumsum(counts)])
    begin = 0
    while begin < len(counts):
        end = max(begin + 1, int(np.searchsorted(before, before[begin] + most, side='right')) - 1)
        part = counts[begin:end]
        first = np.repeat(np.arange(begin, end), part)
        second = np.arange(before[begin], before[end]) - np.repeat(before[begin:end] - starts[begin:end], part)
        if len(first):
            yield first, second
        begin = end
