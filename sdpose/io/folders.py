"""Folders that are written to: whether they can be, and folders that are whole or absent."""

import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sdpose.errors import DataError, Stopped, UserError

# What a batch system sends before it takes the machine away, and a terminal that is closed.
STOP_SIGNALS = (signal.SIGTERM, signal.SIGHUP)
# Folders that were made here, inner ones first.
_made: list[Path] = []


def require_writable(folder: str | Path, purpose: str) -> None:
    """Make a folder and try to write in it, before hours of work depend on it.

    Args:
        folder: The folder; missing parents are made.
        purpose: What will be written there, for the message: an option or a file.

    Raises:
        UserError: If it cannot be made or written.
    """
    path = Path(folder).absolute()
    try:
        missing = [each for each in (path, *path.parents) if not each.exists()]
        path.mkdir(parents=True, exist_ok=True)
        _made[:0] = missing
        with tempfile.TemporaryFile(dir=path):
            pass
    except (FileExistsError, NotADirectoryError) as error:
        raise UserError(f'{purpose}: the folder {folder} cannot be written ({_file_of(folder)} is a file)') from error
    except OSError as error:
        raise UserError(f'{purpose}: the folder {folder} cannot be written ({error.strerror or error})') from error


def remove_empty_folders() -> None:
    """Remove what :func:`require_writable` has made and nobody has written to: for a tool that fails."""
    while _made:
        with suppress(OSError):  # somebody has written there, or removed it
            _made.pop(0).rmdir()


def _file_of(folder: str | Path) -> Path:
    """The part of a path that is no folder."""
    path = Path(folder)
    return next((each for each in (path, *path.parents) if each.exists() and not each.is_dir()), path)


@contextmanager
def signals_unwind() -> Iterator[None]:
    """Has SIGTERM and SIGHUP raise :class:`Stopped` inside the block, which tidies up as it does for Ctrl-C.

    What the surroundings ignore, as ``nohup`` does with SIGHUP, stays ignored; outside of the main thread nothing
    changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: Any) -> None:
        raise Stopped(number)

    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def atomic_folder(out: Path) -> Iterator[Path]:
    """A folder that takes the place of ``out`` when the block ends well, and vanishes otherwise.

    Raises:
        DataError: If ``out`` cannot be written.
    """
    with partial_folder(out) as partial:
        try:
            yield partial
            old = out.with_name(f'.{out.name}~{os.getpid()}.old')
            if out.exists():
                os.replace(out, old)
            os.replace(partial, out)
            shutil.rmtree(old, ignore_errors=True)
        except OSError as error:
            raise DataError(f'{out} cannot be written: {error}') from error


@contextmanager
def partial_folder(out: Path) -> Iterator[Path]:
    """A folder beside ``out`` that vanishes when the block ends; those that killed runs left there are removed.

    Raises:
        DataError: If it cannot be made.
    """
    partial = out.with_name(f'.{out.name}~{os.getpid()}.partial')
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        _sweep(out)
        partial.mkdir()
    except OSError as error:
        raise DataError(f'{out} cannot be written: {error.strerror}') from error
    try:
        yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _sweep(out: Path) -> None:
    """Removes what killed runs left behind."""
    for path in out.parent.glob(f'.{out.name}~*.*'):
        pid, _, kind = path.name[len(out.name) + 2 :].partition('.')
        if kind in ('partial', 'old') and pid.isdigit() and not Path(f'/proc/{pid}').exists():
            shutil.rmtree(path, ignore_errors=True)
