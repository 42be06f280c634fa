"""A progress bar in a terminal, a line per tenth elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def show_progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Yields a function (finished, all) that keeps a person informed on stderr."""
    if not sys.stderr.isatty():

        def line(done: int, total: int) -> None:
            if done * 10 // total != (done - 1) * 10 // total:
                sys.stderr.write(f'{what}: {done} of {total}\n')
                sys.stderr.flush()

        yield line
        return
    with Progress(
        TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=Console(stderr=True)
    ) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
