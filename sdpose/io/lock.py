"""One run to a work folder."""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sdpose.errors import UserError

from .folders import require_writable

_LOCK = '.lock'
# Open locks. A loader's worker is forked with them, and would keep the folder for seconds after its parent's death.
_held: list[IO[str]] = []


def _let_go() -> None:
    for file in _held:
        file.close()
    _held.clear()


os.register_at_fork(after_in_child=_let_go)


@contextmanager
def lock_work_dir(work_dir: str | Path, option: str = '--work-dir') -> Iterator[None]:
    """Keep a work folder to one run: two would overwrite each other's files, such as checkpoints and marker.

    The lock ends with the process, however it ends. File systems without locks are used without one.

    Args:
        work_dir: The folder; it is made where it is missing.
        option: What named it, for messages.

    Raises:
        UserError: If another run has the folder, or it cannot be written.
    """
    require_writable(work_dir, option)
    with _open_lock(Path(work_dir) / _LOCK) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise UserError(
                f'{work_dir} is in use by another run (process {file.read().strip() or "unknown"}): '
                f'wait for it, or give this one its own {option}'
            ) from error
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
