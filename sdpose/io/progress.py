"""A progress bar in a terminal, a line per tenth elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_EVERY = 100  # a line for so many where nobody knows how many there are


class Report(Protocol):
    """Keeps a person informed on stderr."""

    def __call__(self, done: int, total: int | None, note: str = '') -> None:
        """Say how many are done, of how many where that is known, and what else there is to say."""


@contextmanager
def show_progress(what: str) -> Iterator[Report]:
    """Yields a :class:`Report`, to be called whenever something is done."""
    if not sys.stderr.isatty():
        told = 0

        def line(done: int, total: int | None, note: str = '') -> None:
            nonlocal told
            step = done * 10 // total if total else done // _EVERY
            if step != told:
                told = step
                sys.stderr.write(f'{what}: {done}{f" of {total}" if total else ""}{f", {note}" if note else ""}\n')
                sys.stderr.flush()

        yield line
        return
    with Progress(
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn('{task.fields[note]}'),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    ) as bar:
        task = bar.add_task(what, total=None, note='')
        yield lambda done, total, note='': bar.update(task, completed=done, total=total, note=note)
