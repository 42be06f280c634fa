"""Arrays in one file that processes share by a memory map: a checksum, a header in JSON, then the numbers.

The file lies beside what it was made of, or in the user's cache folder where that cannot be written. It holds the state
(size and times) and the SHA-256 of its source; if the state is another one, the hash decides.
"""

import fcntl
import hashlib
import json
import math
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ..atomic import atomic_write

FOLDER = '.annotation_cache'
_MAGIC = b'SDPose annotations 3\n'
_SUM = 9  # bytes of the line with the checksum of all that follows
_ALIGNMENT = 64  # of each array in the file

State = tuple[int, ...]
Arrays = dict[str, np.ndarray]


def state_of(source: str | Path) -> State:
    """What changes when a file is written, by whatever means: size, both times, and the place on the disk."""
    stat = os.stat(source)
    return stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino


def places(source: str | Path) -> Iterator[Path]:
    """Where the cache of a file may lie, the best place first."""
    path = Path(os.path.realpath(source))
    yield path.parent / FOLDER / f'{path.name}.arrays'
    try:
        home = os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache'
    except RuntimeError:  # a container whose user is a number without a home
        return
    name = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    yield Path(home) / 'sdpose/annotations' / f'{path.name}-{name}.arrays'


@contextmanager
def alone(file: Path) -> Iterator[None]:
    """Keep others of this machine from making the same file; where there are no locks, nobody is kept.

    Raises:
        OSError: If the folder cannot be written.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with open(file.with_name(f'{file.name}.lock'), 'w') as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError:
            pass
        yield  # closing the file gives the lock back


def write(file: Path, arrays: Arrays, about: dict[str, Any]) -> None:
    """Write arrays, and what is to be known of them.

    Raises:
        OSError: If the disk is full, or the folder cannot be written.
    """
    places, end = {}, 0
    for name, array in arrays.items():
        places[name] = [array.dtype.str, array.shape, end]
        end += -(-array.nbytes // _ALIGNMENT) * _ALIGNMENT
    header = json.dumps(dict(about, arrays=places, bytes=end)).encode()
    header += b' ' * (-(len(_MAGIC) + _SUM + len(header) + 1) % _ALIGNMENT) + b'\n'
    parts: list[Any] = [header]
    for array in arrays.values():
        parts += [np.ascontiguousarray(array).reshape(-1).view(np.uint8), bytes(-array.nbytes % _ALIGNMENT)]
    crc = 0
    for part in parts:
        crc = zlib.crc32(part, crc)
    with atomic_write(file) as out:
        out.write(_MAGIC + f'{crc:08x}\n'.encode())
        for part in parts:
            out.write(part)


def read(file: Path) -> tuple[Arrays, dict[str, Any]]:
    """Arrays, mapped, and what is to be known of them.

    Raises:
        OSError: If there is no such file.
        ValueError: If it is damaged.
    """
    with open(file, 'rb') as stream:
        if stream.readline() != _MAGIC:
            raise ValueError('it is of another version')
        crc, header = int(stream.read(_SUM), 16), stream.readline()
    content = np.asarray(np.memmap(file, np.uint8, 'r'))[len(_MAGIC) + _SUM :]  # indexing a memmap is slow
    if zlib.crc32(content.data) != crc:
        raise ValueError('it is not what was written')
    about, content = json.loads(header), content[len(header) :]
    arrays = {}
    for name, (kind, shape, start) in about.pop('arrays').items():
        dtype = np.dtype(kind)
        arrays[name] = content[start : start + dtype.itemsize * math.prod(shape)].view(dtype).reshape(shape)
    return arrays, about
