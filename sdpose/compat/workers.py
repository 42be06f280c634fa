"""Workers of a data loader leave signals to the process that started them."""

import atexit
import multiprocessing
import signal
from typing import Any

import mmengine.dataset.utils as dataset_utils
import mmengine.runner.runner as runner_module

from .rebind import rebind

_original = dataset_utils.worker_init_fn


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
    atexit.register(kill_workers)


def _init_worker(*args: Any, **kwargs: Any) -> None:
    """MMEngine's seeding of a worker, deaf to the signals that end a run; a worker ends when its parent does."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _original(*args, **kwargs)


def kill_workers() -> None:
    """End the workers of all loaders; for the end of the process only."""
    children = [child for child in multiprocessing.active_children() if child.daemon]
    if children:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # torch's handler takes a killed worker for an accident
    for child in children:
        child.kill()
