"""Folders that are written to: whether they can be, one training to a folder, and folders that are whole or absent."""

import fcntl
import os
import shutil
import signal
import stat
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Union

from sdpose.errors import DataError, UserError

_LOCK = '.lock'
# Open locks. A loader's worker is forked with them, and would keep the folder for seconds after its parent's death.
_held: list[IO[str]] = []


def _let_go() -> None:
    for file in _held:
        file.close()
    _held.clear()


os.register_at_fork(after_in_child=_let_go)


def require_writable(folder: Union[str, Path], purpose: str) -> None:
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
def sole_training(work_dir: Union[str, Path]) -> Iterator[None]:
    """Keep a work folder to one training: two would overwrite each other's checkpoints and marker.

    The lock ends with the process, however it ends. File systems without locks are used without one.

    Raises:
        UserError: If another training has the folder.
    """
    require_writable(work_dir, '--work-dir')
    with _open_lock(Path(work_dir) / _LOCK) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise UserError(f'{work_dir} is in use by another training (process {file.read().strip() or "unknown"}): '
                            'wait for it, or give this one its own --work-dir') from error
        except OSError:
            yield
            return
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        _held.append(file)
        try:
            yield
        finally:
            _held.remove(file)


def _open_lock(path: Path) -> IO[str]:
    """The lock's own file; whatever else has its name (a link, a pipe) is replaced, never written through."""
    try:
        own = path.lstat()
        if not stat.S_ISREG(own.st_mode) or own.st_nlink > 1:
            path.unlink()
    except FileNotFoundError:
        pass
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o644)
    return os.fdopen(descriptor, 'r+', encoding='utf-8')


@contextmanager
def terminate_as_interrupt() -> Iterator[None]:
    """Has a polite kill (SIGTERM) clean up as Ctrl-C does; only the main thread may ask for that."""
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
def folder_beside(out: Path) -> Iterator[Path]:
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
        pid, _, kind = path.name[len(out.name) + 2:].partition('.')
        if kind in ('partial', 'old') and pid.isdigit() and not Path(f'/proc/{pid}').exists():
            shutil.rmtree(path, ignore_errors=True)
