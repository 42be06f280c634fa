"""Measuring in a process of its own, which nothing that ran before has warmed up or filled."""

import contextlib
import multiprocessing
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any


def in_a_process(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a function of a module returns in a new process."""
    with multiprocessing.get_context('spawn').Pool(1) as pool:
        return pool.apply(function, arguments)


def caller(quick: bool) -> Callable[..., Any]:
    """What calls a function that measures: in a process of its own, or in this one, which is no number to cite.

    Args:
        quick: Whether to stay in this process.
    """
    return (lambda function, *arguments: function(*arguments)) if quick else in_a_process


def most_memory(reset: bool = False) -> float:
    """The most memory of this process so far, in MiB.

    Args:
        reset: Whether only what comes from now on counts, where the system can begin anew (Linux).
    """
    if reset:
        with contextlib.suppress(OSError):
            Path('/proc/self/clear_refs').write_text('5')
    with contextlib.suppress(OSError):
        for line in Path('/proc/self/status').read_text().splitlines():
            if line.startswith('VmHWM:'):
                return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
