"""Storages made of a file's bytes, on the device that they are wanted on."""

from collections.abc import Callable
from typing import Any

import torch

from .faults import UnfitError
from .names import StorageKind
from .tensors import Storage


class Storages:
    """The storages of one file, each read once.

    Args:
        map_location: As in :func:`torch.load`.
    """

    def __init__(self, map_location: Any) -> None:
        self._restore: Callable = torch.serialization._get_restore_location(map_location)
        self.known: dict[str, Storage] = {}

    def __call__(self, kind: Any, key: Any, location: Any, count: Any, view: Any = None) -> Storage:
        """The storage that a persistent id describes: its kind, name, device and number of elements.

        Raises:
            UnfitError: If the file does not hold it like that.
        """
        if type(kind) is not StorageKind or type(count) is not int or count < 0:
            raise UnfitError('a storage in it is none')
        if type(key) is not str or type(location) is not str:
            raise UnfitError('a storage in it has no name or no place')
        if key not in self.known:
            self.known[key] = Storage(kind.dtype, self.read(key, location, count * kind.dtype.itemsize, kind.dtype))
        known = self.known[key]
        if known.dtype != kind.dtype:
            raise UnfitError('a storage in it has two types')
        return known if view is None else self._part(known, view)

    def read(self, key: str, location: str, size: int, dtype: torch.dtype) -> torch.UntypedStorage:
        """The bytes of a storage that was not asked for yet."""
        raise NotImplementedError

    def placed(self, data: torch.UntypedStorage, location: str) -> torch.UntypedStorage:
        """The bytes on the device that is wanted, by default the one they were on."""
        return self._restore(data, location)

    @staticmethod
    def _part(whole: Storage, view: Any) -> Storage:
        """A part of a storage, as torch wrote it before 0.4: its name, first element and length."""
        if type(view) is not tuple or len(view) != 3 or any(type(each) is not int or each < 0 for each in view[1:]):
            raise UnfitError('a storage in it is none')
        start, end = (each * whole.dtype.itemsize for each in (view[1], view[1] + view[2]))
        if end > whole.data.nbytes():
            raise UnfitError('a storage in it is larger than what it is a part of')
        return Storage(whole.dtype, whole.data[start:end])
