"""Files that are either complete or absent, whenever the process dies."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import IO

from sdpose.errors import UserError

# A leftover of another machine (shared folder) cannot be asked whether its writer lives; after a day it does
# not.
_FOREIGN_LEFTOVER_SECONDS = 24 * 3600
_serial = count()


@contextmanager
def atomic_write(path: str | Path, mode: str = 'wb', encoding: str | None = None) -> Iterator[IO]:
    """Open a file for writing that appears under its name only once it is complete and on disk.

    The content goes to a hidden file in the same folder, is flushed to disk and renamed; the folder is
    flushed too. A process killed at any moment leaves the previous file, or the new one, never a mixture. On
    an exception the previous file stays and the temporary one is removed.

    Args:
        path: The file to write. Missing parent folders are made. A link there, symbolic or hard, is replaced by the
            file: what it led to stays as it is.
        mode: ``'wb'`` or ``'w'``.
        encoding: As in :func:`open`; text files default to UTF-8.

    Yields:
        The open temporary file.

    Raises:
        ValueError: If ``mode`` is not ``'wb'`` or ``'w'``.
        UserError: If there is a folder of that name.
        OSError: If the folder cannot be written, or the disk is full; its ``filename`` is the file to write.
    """
    if mode not in ('wb', 'w'):
        raise ValueError(f"atomic_write writes whole files: mode must be 'wb' or 'w', not {mode!r}")
    target = Path(path).absolute()
    if target.is_dir():
        raise UserError(f'{path} is a folder, and a file of that name is to be written: move or rename the folder')
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(target.parent)
    temporary = target.with_name(f'.{target.name}~{socket.gethostname()}~{os.getpid()}~{next(_serial)}.tmp')
    if mode == 'w':
        encoding = encoding or 'utf-8'
    try:
        temporary.unlink(missing_ok=True)
        with open(temporary, mode.replace('w', 'x'), encoding=encoding) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename in (None, str(temporary)):
            error.filename, error.filename2 = str(path), None  # a write names no file, the rest names the hidden one
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Bring a rename to disk; file systems that cannot flush a folder are left as they are."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)


def _remove_leftovers(folder: Path) -> None:
    """Remove temporary files whose writer was killed, so that kills do not fill the disk."""
    for leftover in folder.glob('.*~*~*~*.tmp'):
        _, host, pid, _ = leftover.name.rsplit('~', 3)
        try:
            old = time.time() - leftover.stat().st_mtime > _FOREIGN_LEFTOVER_SECONDS
            if old or (host == socket.gethostname() and pid.isdigit() and not _alive(int(pid))):
                leftover.unlink(missing_ok=True)
        except OSError:
            continue


def _alive(pid: int) -> bool:
    """Whether a process of this machine exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
