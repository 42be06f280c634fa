"""Work shared among several processes that end with the one that started them."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

import cv2

from sdpose.errors import DataError, UserError

from .folders import STOP_SIGNALS

Job = TypeVar('Job')
Result = TypeVar('Result')


def in_processes(work: Callable[[Job], Result], jobs: Sequence[Job], workers: int) -> Iterator[Result]:
    """Results of jobs, in any order; which process does what is settled beforehand.

    Args:
        work: What is done; with one worker, in this process.
        jobs: Its arguments.
        workers: The number of processes.

    Raises:
        UserError, OSError: As the work raises them.
        DataError: If a process dies.
    """
    # Before the fork: a child can neither use nor dissolve the thread pool that its parent's OpenCV has started.
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield from map(work, jobs) if workers <= 1 else _distributed(work, jobs, workers)
    finally:
        cv2.setNumThreads(threads)


def _distributed(work: Callable[[Job], Result], jobs: Sequence[Job], workers: int) -> Iterator[Result]:
    context: Any = multiprocessing.get_context('fork' if 'fork' in multiprocessing.get_all_start_methods() else None)
    running: dict[Connection, Any] = {}
    try:
        for number in range(min(workers, len(jobs))):
            ours, theirs = context.Pipe(duplex=False)
            share = jobs[number::workers]
            ends = [*running, ours]  # for reading, of which a fork has copies
            process = context.Process(target=_serve, args=(work, share, os.getpid(), theirs, ends), daemon=True)
            process.start()
            theirs.close()
            running[ours] = process
        yield from _collect(running)
    finally:
        for process in running.values():
            process.terminate()
            process.join()


def _serve(
    work: Callable[[Any], Any], share: Sequence[Any], parent: int, out: Connection, ends: Sequence[Connection]
) -> None:
    """A worker: does its share, sends each result, and ends when the process that started it is gone.

    While a worker held an end for reading, one that sends would wait for ever.
    """
    for end in ends:
        end.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in STOP_SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    with suppress(BrokenPipeError):  # nobody reads any more
        try:
            for job in share:
                if os.getppid() != parent:
                    return
                out.send((work(job), None))
        except (UserError, OSError) as error:
            out.send((None, error))
    out.close()


def _collect(running: dict[Connection, Any]) -> Iterator[Any]:
    """Results of all workers until each has closed its end."""
    open_ends = dict(running)
    while open_ends:
        for end in wait(list(open_ends)):
            assert isinstance(end, Connection)
            try:
                result, error = end.recv()
            except EOFError:
                process = open_ends.pop(end)
                process.join()
                if process.exitcode != 0:
                    raise DataError(
                        f'a process died with exit status {process.exitcode} (out of memory?): try fewer --workers'
                    ) from None
                continue
            if error is not None:
                raise error
            yield result
