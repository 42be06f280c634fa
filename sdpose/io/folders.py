"""Folders that are written to: whether they can be, and folders that are whole or absent."""

import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sdpose.errors import DataError, UserError


def require_writable(folder: str | Path, purpose: str) -> None:
    """Make a folder and try to write in it, before hours of work depend on it.

    Args:
        folder: The folder; missing parents are made.
        purpose: What will be written there, for the message: an option or a file.

    Raises:
        UserError: If it cannot be made or written.
    """
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(f'{purpose}: the folder {folder} cannot be written ({error.strerror or error})') from error


@contextmanager
def sigterm_as_interrupt() -> Iterator[None]:
    """Treat SIGTERM like Ctrl-C inside the block (main thread only)."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def atomic_folder(out: Path) -> Iterator[Path]:
    """A folder that takes the place of ``out`` when the block ends well, and vanishes otherwise.

    Raises:
        DataError: If ``out`` cannot be written.
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
        old = out.with_name(f'.{out.name}~{os.getpid()}.old')
        if out.exists():
            os.replace(out, old)
        os.replace(partial, out)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise DataError(f'{out} cannot be written: {error}') from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _sweep(out: Path) -> None:
    """Removes what killed runs left behind."""
    for path in out.parent.glob(f'.{out.name}~*.*'):
        pid, _, kind = path.name[len(out.name) + 2 :].partition('.')
        if kind in ('partial', 'old') and pid.isdigit() and not Path(f'/proc/{pid}').exists():
            shutil.rmtree(path, ignore_errors=True)
