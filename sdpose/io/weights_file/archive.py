"""The layout of torch >= 1.6: a zip of records, one of them a pickle, one per storage."""

import io
import struct
import sys
import zipfile
from collections.abc import Iterator
from typing import IO, Any

import torch

from .budget import Budget
from .faults import DamagedError, UnfitError
from .names import names_and_builders
from .pickles import PickleReader
from .storages import Storages

MAGIC = b'PK\x03\x04'
_PICKLE = '/data.pkl'
_CHUNK = 2**20
# The table of contents is read whole and takes some ten times its bytes; a thousand records have about 0.1 MB.
_LARGEST_TABLE = 4 * 2**20
_TABLE_END = struct.Struct('<4s4H2LH')
_TABLE_END_64 = struct.Struct('<4sQ2H2L4Q')
_LOCATOR_SIZE = 20


def read_archive(stream: IO[bytes], budget: Budget, map_location: Any) -> Any:
    """The object in an archive.

    Args:
        stream: The file.
        budget: Its allowances.
        map_location: As in :func:`torch.load`.

    Raises:
        UnfitError, DamagedError, ForeignTypeError: Why it cannot be read.
    """
    _require_small_table(stream, budget.size)
    with zipfile.ZipFile(stream) as archive:
        records = _records(archive, budget.size)
        names = [name for name in records if name.endswith(_PICKLE) and name.count('/') == 1]
        if len(names) != 1 or names[0].replace(_PICKLE, '/constants.pkl') in records:
            raise UnfitError('it is a zip of something else than a checkpoint')
        reader = _Records(archive, records, names[0].removesuffix(_PICKLE))
        content = reader.read('data.pkl')
        storages = _ArchiveStorages(map_location, reader)
        return PickleReader(io.BytesIO(content), *names_and_builders(budget), storages, budget).load()


def _require_small_table(stream: IO[bytes], size: int) -> None:
    """Look at the size of the table of contents before it is read; torch writes no comment behind it."""
    stream.seek(-min(size, _TABLE_END.size + _LOCATOR_SIZE + _TABLE_END_64.size), io.SEEK_END)
    end = stream.read()
    last = _TABLE_END.unpack(end[-_TABLE_END.size :]) if len(end) >= _TABLE_END.size else (b'',)
    if last[0] != b'PK\x05\x06':
        raise DamagedError('its table of contents is missing')
    sizes = [last[5]]
    if end[:4] == b'PK\x06\x06' and len(end) > _TABLE_END_64.size:
        sizes.append(_TABLE_END_64.unpack(end[: _TABLE_END_64.size])[8])
    if max(size for size in sizes if size != 0xFFFFFFFF or len(sizes) == 1) > _LARGEST_TABLE:
        raise UnfitError('it has more records than any checkpoint')


def _records(archive: zipfile.ZipFile, size: int) -> dict[str, zipfile.ZipInfo]:
    """The records by name, which together claim no more memory than twice the file.

    Files that were saved under ``torch.serialization.set_crc32_options(False)`` have 0 for every checksum: theirs are
    not compared.
    """
    entries = archive.infolist()
    records = {entry.filename: entry for entry in entries}
    if len(records) < len(entries):
        raise UnfitError('it has two records of one name')
    if any(entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for entry in entries):
        raise UnfitError('its records are packed as torch packs none')
    claimed = sum(entry.file_size for entry in entries)
    if claimed > 2 * size:
        raise UnfitError(f'it unpacks to {claimed:,} bytes from {size:,}')
    if not any(entry.CRC for entry in entries):
        for entry in entries:
            entry.CRC = None  # type: ignore[assignment]  # makes zipfile compare none
    return records


class _Records:
    """Reads records, comparing their checksums.

    Args:
        archive: The open archive.
        records: Its entries by name.
        root: The folder that all of them are in.
    """

    def __init__(self, archive: zipfile.ZipFile, records: dict[str, zipfile.ZipInfo], root: str) -> None:
        self._archive = archive
        self._records = records
        self._root = root

    def size(self, name: str) -> int:
        """The bytes of a record; -1 if there is none."""
        entry = self._records.get(f'{self._root}/{name}')
        return -1 if entry is None else entry.file_size

    def read(self, name: str) -> bytes:
        """A whole record."""
        return b''.join(self.chunks(name))

    def chunks(self, name: str) -> Iterator[bytes]:
        """A record in parts; the last one is given out only if all of them have the record's checksum."""
        entry = self._records[f'{self._root}/{name}']
        left = entry.file_size
        with self._archive.open(entry) as record:
            while left:
                chunk = record.read(min(left, _CHUNK))
                if not chunk:
                    raise DamagedError(f'its record {name} ends too early')
                left -= len(chunk)
                yield chunk


class _ArchiveStorages(Storages):
    """Storages that are records."""

    def __init__(self, map_location: Any, records: _Records) -> None:
        super().__init__(map_location)
        self._records = records
        order = records.read('byteorder').decode('ascii') if records.size('byteorder') in (3, 6) else 'little'
        if order not in ('little', 'big'):
            raise DamagedError(f'its byte order is {order!r}')
        self._swapped = order != sys.byteorder

    def read(self, key: str, location: str, size: int, dtype: torch.dtype) -> torch.UntypedStorage:
        held = self._records.size(f'data/{key}')
        if not size <= held < size + dtype.itemsize:
            raise UnfitError(f'a tensor in it has {size:,} bytes, of which {max(held, 0):,} are stored')
        values = torch.empty(held, dtype=torch.uint8)
        room, place = values.numpy().data, 0
        for chunk in self._records.chunks(f'data/{key}'):
            room[place : place + len(chunk)] = chunk
            place += len(chunk)
        data = values.untyped_storage()
        if self._swapped:
            data.byteswap(dtype)
        return self.placed(data, location)
