"""The arrays of an annotation file, from its cache or parsed, and its entries as they stand in it."""

import json
import os
import time
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, SupportsIndex

from mmengine.logging import print_log

from sdpose.errors import DataError

from ..digest import sha256_of
from . import cache
from .arrays import Arrays, parse
from .cache import State, state_of

_SMALL = 1 << 20  # bytes of a file that is parsed in less time than a cache is worth


class Store:
    """What an annotation file holds.

    Attributes:
        file: The annotation file.
        state: Its size and times when it was read.
        arrays: Its images and annotations.
        categories: Its ``categories``, None if it has none.
        mapped: Whether the arrays are shared by a memory map.
    """

    def __init__(
        self, file: str, state: State, arrays: Arrays, categories: list[dict[str, Any]] | None, mapped: bool = False
    ) -> None:
        self.file = file
        self.state = state
        self.arrays = arrays
        self.categories = categories
        self.mapped = mapped

    def name(self, image: int) -> str:
        """The file name of an image by its place."""
        ends = self.arrays.name_ends
        start = int(ends[image - 1]) + 1 if image else 0
        return self.arrays.names[start : int(ends[image])].tobytes().decode()

    def names(self) -> list[str]:
        """The file names of all images; empty ones of images without."""
        return self.arrays.names.tobytes().decode().split('\0')[:-1]

    def entry(self, place: int) -> dict[str, Any]:
        """An annotation as it stands in the file, all keys included.

        Raises:
            DataError: If the file was written since it was read.
        """
        start, end = int(self.arrays.starts[place]), int(self.arrays.ends[place])
        text = os.pread(_opened(self.file, self.state).fileno(), end - start, start)
        try:
            entry = json.loads(text)
        except ValueError:
            entry = {}
        if entry.get('id') != self.arrays.ids[place]:
            raise _changed(self.file)
        return entry

    def __deepcopy__(self, memo: dict[int, Any]) -> 'Store':
        return self  # nobody writes to it

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        # Another process maps the arrays instead of getting a copy.
        return (_reopen, (self.file, self.state)) if self.mapped else super().__reduce_ex__(protocol)


def open_store(file: str | Path) -> Store | None:
    """What a COCO annotation file holds as arrays, parsed if no process of this machine has done so before.

    The arrays of all but small files are kept in ``.annotation_cache`` beside the file, or in ``~/.cache/sdpose``
    (``XDG_CACHE_HOME``) where that cannot be written; where neither can, they stay in the memory of this process.

    Returns:
        None for a file that is not there, no JSON, or has values of other types than COCO has.
    """
    try:
        state = state_of(file)
    except OSError:
        return None
    return _open(str(file), state) if os.path.isfile(file) else None


@lru_cache(maxsize=2)
def _open(file: str, state: State) -> Store | None:
    """The arrays of one state of a file."""
    if state[0] <= _SMALL:
        return _parsed(file, state)
    for place in cache.places(file):
        if (found := _cached(place, file, state)) is not None:
            return found
    started = time.perf_counter()
    store: Store | None = None
    fate = ''
    for place in cache.places(file):
        try:
            with cache.alone(place):  # another process may have been at it until now
                if (found := _cached(place, file, state)) is not None:
                    return found
                if (store := store or _parsed(file, state)) is None:
                    return None
                cache.write(place, store.arrays._asdict(), _about(store))
                store, fate = _cached(place, file, state) or store, f'kept in {place}'
                break
        except OSError as error:
            fate = f'held in memory, since {place} cannot be written ({error.strerror})'
    store = store or _parsed(file, state)  # where no folder can be written
    if store is not None:
        seconds = time.perf_counter() - started
        print_log(f'{file}: {len(store.arrays.ids)} annotations parsed in {seconds:.1f} s, {fate}', 'current')
    return store


def _about(store: Store) -> dict[str, Any]:
    return dict(state=store.state, digest=sha256_of(store.file), categories=store.categories)


def _parsed(file: str, state: State) -> Store | None:
    """The arrays of a file.

    Raises:
        DataError: If it is written to meanwhile.
    """
    _opened(file, state)  # so that its entries can be read even if the file is replaced
    parsed = parse(Path(file).read_bytes())
    if state_of(file) != state:
        raise _changed(file)
    return None if parsed is None else Store(file, state, *parsed)


def _cached(place: Path, file: str, state: State) -> Store | None:
    """The arrays of a file as they were written before, if it is still the same."""
    try:
        arrays, about = cache.read(place)
        if tuple(about['state']) != state:
            if about['state'][0] != state[0] or about['digest'] != sha256_of(file):
                return None
            with suppress(OSError):
                cache.write(place, arrays, dict(about, state=state))
        _opened(file, state)
        return Store(file, state, Arrays(**arrays), about['categories'], mapped=True)
    except (OSError, ValueError, KeyError, TypeError):  # not there, or damaged
        return None


@lru_cache(maxsize=8)
def _opened(file: str, state: State) -> IO[bytes]:
    """The file in one of its states; it stays readable as it was if another one takes its name."""
    stream = open(file, 'rb', buffering=0)
    if state_of(file) != state:
        raise _changed(file)
    return stream


def _reopen(file: str, state: State) -> Store:
    """The arrays of a file in another process.

    Raises:
        DataError: If it was written since.
    """
    store = _open(file, state) if state_of(file) == state else None
    if store is None:
        raise _changed(file)
    return store


def _changed(file: str) -> DataError:
    return DataError(f'{file} was written while it was in use: start again')
