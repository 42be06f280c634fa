"""Ending a training by a signal: the step is finished, a checkpoint is written, the status is the usual one."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sdpose.errors import Stopped
from sdpose.io.folders import STOP_SIGNALS

# A step that hangs must not outlive what batch systems and torchrun grant before they kill.
_GRACE_SECONDS = 25

_received = 0  # the signal that asks for the end, 0 for none
_in_training = False
_timer: threading.Timer | None = None


@contextmanager
def stoppable() -> Iterator[None]:
    """Has the signals raise :class:`Stopped`: at once, or within a training loop after the step (``StopHook``).

    What the surroundings ignore, as ``nohup`` does with SIGHUP, stays ignored. Only the main thread may ask for
    signals; elsewhere nothing changes.
    """
    global _received
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _received = 0
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, _receive)
    try:
        yield
    finally:
        leave_training()
        for number, handler in before.items():
            signal.signal(number, handler)


def enter_training() -> None:
    """From now on signals wait for the end of a step."""
    global _in_training
    _in_training = True


def leave_training() -> None:
    """From now on signals stop at once, and one that came before has been answered."""
    global _in_training
    _in_training = False
    if _timer is not None:
        _timer.cancel()


def received() -> int:
    """The signal that asks for the end, 0 for none."""
    return _received


def _receive(number: int, frame: Any) -> None:
    global _received, _timer
    if _received:
        return  # a launcher repeats what the batch system sent
    _received = number
    if not _in_training:
        raise Stopped(number)
    _timer = threading.Timer(_GRACE_SECONDS, _give_up, [number])
    _timer.daemon = True
    _timer.start()


def _give_up(number: int) -> None:
    sys.stderr.write(
        f'stopped by {signal.Signals(number).name}: the step did not end within {_GRACE_SECONDS} s, nothing was saved\n'
    )
    sys.stderr.flush()
    os._exit(128 + number)
