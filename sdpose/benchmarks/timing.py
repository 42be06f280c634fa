"""Variants of one work, timed in turns, so that whatever slows the machine down slows all of them."""

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from statistics import median
from typing import Any, TypeVar

Name = TypeVar('Name', bound=Hashable)


def interleaved(
    variants: Mapping[Name, Callable[[], Any]],
    rounds: int,
    warmup: int = 1,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[Name, list[float]]:
    """Seconds of every variant in every round; a round runs each of them once, in turns from another one on.

    Args:
        variants: What is timed, by name.
        rounds: How many times each is timed.
        warmup: Rounds before, which are not counted.
        clock: ``time.perf_counter``, or ``time.process_time`` for the processor's time of all threads.
    """
    times: dict[Name, list[float]] = {name: [] for name in variants}
    names = list(variants)
    for number in range(-warmup, rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            start = clock()
            variants[name]()
            if number >= 0:
                times[name].append(clock() - start)
    return times


def clock_for(threads: int) -> Callable[[], float]:
    """The clock of a computation: the processor's time of a single thread, which a busy core does not lengthen.

    Args:
        threads: How many compute; several are timed by the wall clock.
    """
    return time.process_time if threads == 1 else time.perf_counter


def ratio(baseline: Sequence[float], other: Sequence[float]) -> float:
    """How many times as fast as the baseline: the median over rounds of the two times' ratio.

    Args:
        baseline: Seconds per round.
        other: Seconds of the same rounds.
    """
    return median(one / two for one, two in zip(baseline, other, strict=True))
