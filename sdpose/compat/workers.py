"""Workers of a data loader leave signals to the process that started them, and end when it has no more use for them."""

import atexit
import multiprocessing
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import mmengine.dataset.utils as dataset_utils
import mmengine.runner.runner as runner_module
from torch.utils.data.dataloader import _MultiProcessingDataLoaderIter

from .rebind import rebind

_original = dataset_utils.worker_init_fn
_shut_down = _MultiProcessingDataLoaderIter._shutdown_workers


def leave_signals_to_parent() -> None:
    """Let a signal that reaches a whole process group (Ctrl-C, a batch system) be answered by the main process alone.

    Seen: each worker answers Ctrl-C with a traceback of its own, behind the main process's line; a worker that ends by
    SIGTERM raises ``DataLoader worker is killed by signal`` in the middle of the main process's step, which then can
    save nothing. Python ends what it left behind at its own end by SIGTERM, and would wait for ever for workers that
    ignore it, so they are killed before.
    """
    if runner_module.default_worker_init_fn is _init_worker:
        return
    rebind(_original, _init_worker)
    _MultiProcessingDataLoaderIter._shutdown_workers = _shut_down_all  # type: ignore[assignment,method-assign]
    atexit.register(kill_workers)


def _init_worker(*args: Any, **kwargs: Any) -> None:
    """MMEngine's seeding of a worker, deaf to the signals that end a run; a worker ends when its parent does."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _original(*args, **kwargs)


def _shut_down_all(iterator: Any) -> None:
    """torch's way to end the workers of a loader, whose last resort is the SIGTERM that they do not hear.

    It gets there when the garbage collector finds a loader: it has closed the queue before on which workers are told.
    """
    _shut_down(iterator)
    for worker in getattr(iterator, '_workers', ()):
        if worker.is_alive():
            worker.kill()


@contextmanager
def ending_workers(runner: Any) -> Iterator[None]:
    """Has the workers of a runner's loaders end when a run is over.

    A runner refers to itself, so they would wait for the garbage collector, and it for seconds for each loader.
    """
    yield
    for loop in (runner._train_loop, runner._val_loop, runner._test_loop):
        # A loop that was not needed is a dict, or None; one that counts iterations has an iterator of its own.
        for holder in (getattr(loop, 'dataloader', None), getattr(loop, 'dataloader_iterator', None)):
            iterator = getattr(holder, '_iterator', None)
            if holder is not None and isinstance(iterator, _MultiProcessingDataLoaderIter):
                holder._iterator = None
                iterator._shutdown_workers()


def kill_workers() -> None:
    """End the workers of all loaders; for the end of the process only."""
    children = [child for child in multiprocessing.active_children() if child.daemon]
    if children:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # torch's handler takes a killed worker for an accident
    for child in children:
        child.kill()
