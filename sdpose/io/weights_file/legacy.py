"""The layout before torch 1.6: five pickles, then the bytes of the storages."""

import struct
from typing import IO, Any

import torch

from .budget import Budget
from .faults import DamagedError, UnfitError
from .names import names_and_builders
from .pickles import PickleReader
from .storages import Storages

_MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
_VERSION = 1001
_CHUNK = 2**20


def read_legacy(stream: IO[bytes], budget: Budget, map_location: Any) -> Any:
    """The object in such a file.

    Args:
        stream: The file, at its beginning.
        budget: Its allowances.
        map_location: As in :func:`torch.load`.

    Raises:
        UnfitError, DamagedError, ForeignTypeError: Why it cannot be read.
    """
    storages = _LegacyStorages(map_location, budget.size)

    def load() -> Any:
        return PickleReader(stream, *names_and_builders(budget), storages, budget).load()

    if load() != _MAGIC_NUMBER or load() != _VERSION:
        raise DamagedError('it does not begin like one')
    load()  # about the machine that wrote it
    content = load()
    storages.fill(stream, load())
    return content


class _LegacyStorages(Storages):
    """Storages whose bytes follow the pickles that describe them."""

    def __init__(self, map_location: Any, size: int) -> None:
        super().__init__(map_location)
        self._left = size

    def read(self, key: str, location: str, size: int, dtype: torch.dtype) -> torch.UntypedStorage:
        self._left -= size
        if self._left < 0:
            raise UnfitError(f'a tensor in it has {size:,} bytes, more than the file')
        return self.placed(torch.UntypedStorage(size), location)

    def fill(self, stream: IO[bytes], keys: Any) -> None:
        """Read the bytes, each storage's behind its number of elements.

        Args:
            stream: The file, behind its pickles.
            keys: The names of the storages in the order of their bytes.
        """
        if type(keys) is not list or any(type(key) is not str for key in keys) or set(keys) != self.known.keys():
            raise UnfitError('its tensors and its bytes do not belong together')
        buffered: Any = stream  # typing.IO lacks readinto, which every binary file has
        for key in keys:
            storage = self.known[key]
            header = stream.read(8)
            if len(header) != 8:
                raise DamagedError('it ends too early')
            size = storage.data.nbytes()
            if struct.unpack('<q', header)[0] * storage.dtype.itemsize != size:
                raise UnfitError('a tensor in it has another size than its bytes')
            values = torch.empty(size, dtype=torch.uint8)
            room, place = values.numpy().data, 0
            while place < size:
                taken = buffered.readinto(room[place : place + _CHUNK])
                if not taken:
                    raise DamagedError('it ends too early')
                place += taken
            storage.data.copy_(values.untyped_storage())
