"""Folders that a run writes to: whether they can be written, and that one training has them to itself."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Union

from .errors import UserError

_LOCK = '.lock'


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
    with open(Path(work_dir) / _LOCK, 'a+', encoding='utf-8') as file:
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
        yield
