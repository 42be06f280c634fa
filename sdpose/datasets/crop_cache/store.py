"""The files of a crop cache: shards of crops and an index, all in the safetensors format.

Safetensors is a header of names, shapes and offsets before the bare bytes. Every shard is a file of its own, written
whole by one process: shards are made in parallel, a kill or a full disk costs the unfinished ones, and what is there is
memory-mapped. LMDB reads no faster, has one writer and must be told its size beforehand; HDF5 takes six times as long
per crop, and a kill may spoil the whole file.

A crop is stored as pixels (h, w, 3), uint8, BGR, or as the bytes of a JPEG picture (n,).
"""

import hashlib
import json
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch

from sdpose.errors import DataError
from sdpose.io.atomic import atomic_write

INDEX = 'index.safetensors'
NOTE = 'index.json'  # what the crops are of, also before there is an index
VERSION = 1
STEPS = 16  # sizes of crops are stored in steps of a 16th of the native one
_TOOL = 'python tools/dataset_tools/build_crop_cache.py'
BUILD = f'{_TOOL} CONFIG --out {{out}} makes it'
_ROWS, _IMAGES = 'rows', 'images'


class CropRow(NamedTuple):
    """A crop: a rectangle of a picture in pixels, and in how many 16ths of its size it is stored."""

    left: int
    top: int
    width: int
    height: int
    sixteenths: int
    picture_width: int
    picture_height: int

    def moved(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 2) of the picture in pixels of the crop, whose pixels have their centres at whole numbers."""
        points = points - np.array((self.left, self.top), points.dtype)
        return points if self.sixteenths == STEPS else (points + 0.5) * points.dtype.type(self.scale) - 0.5

    @property
    def scale(self) -> float:
        """Stored pixels per pixel of the picture."""
        return self.sixteenths / STEPS


class Storing(NamedTuple):
    """How crops are stored, as a user chooses it; see :class:`Recipe`."""

    format: str = 'raw'
    quality: int = 95
    margins: float = 1.0
    max_resolution: float = 0.0


class Recipe(NamedTuple):
    """How the crops of a cache are cut and stored.

    Attributes:
        format: ``'raw'`` or ``'jpeg'``.
        quality: Of a JPEG.
        margins: Of :meth:`Reach.region`.
        max_resolution: Crops of people whose box is wider than so many inputs of the model are stored at that size.
        reach: Of :meth:`Reach.describe`.
        load: The step that loads pictures, in words.
    """

    format: str
    quality: int
    margins: float
    max_resolution: float
    reach: Sequence[str]
    load: str


def same_data(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two annotation files, each with its ``ann_file`` and ``sha256``, are one, maybe changed or moved."""
    paths = {os.path.realpath(each['ann_file']) for each in (one, other)}
    return one['sha256'] == other['sha256'] or len(paths) == 1


def key_of(sample: dict[str, Any]) -> int:
    """What tells a person of a data set: a hash of picture's name and annotation id, wherever the pictures lie."""
    name = f'{sample["img_path"].rpartition("/")[2]}/{sample["id"]}'
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), 'little')


def shard_path(folder: Path, number: int) -> Path:
    """Where a shard lies."""
    return folder / f'crops-{number:05d}.safetensors'


def write_shard(path: Path, plan: str, crops: Sequence[np.ndarray], rows: np.ndarray, images: np.ndarray) -> None:
    """Write a shard, whole or not at all.

    Args:
        path: The file.
        plan: A hash of all that the shard is made of.
        crops: As they are stored.
        rows: (n, 7), a :class:`CropRow` each.
        images: (n, 3), :func:`image_stamp` of each crop's picture.
    """
    from safetensors.numpy import save

    tensors = {str(place): crop for place, crop in enumerate(crops)}
    tensors.update({_ROWS: rows, _IMAGES: images})
    content = save(tensors, dict(about=json.dumps([plan, _digest(tensors)])))  # one entry: several come in any order
    with atomic_write(path) as file:
        file.write(content)


class Shard(NamedTuple):
    """What is known of a shard beside its crops."""

    plan: str
    digest: str
    rows: np.ndarray
    images: np.ndarray


def read_shard(path: Path, whole: bool = False) -> Shard | None:
    """A shard's entries, without its crops.

    Args:
        path: The file.
        whole: Read the crops, too, and compare all with the hash.

    Returns:
        None if it is not there or not what was written.

    Raises:
        OSError: If the system cannot read it.
    """
    try:
        with _open(path) as file:
            plan, digest = json.loads((file.metadata() or {})['about'])
            shard = Shard(plan, digest, file.get_tensor(_ROWS), file.get_tensor(_IMAGES))
            if whole and _digest({name: file.get_tensor(name) for name in file.keys()}) != shard.digest:
                return None
    except (FileNotFoundError, KeyError, ValueError, _error()):
        return None
    return shard


def write_index(
    folder: Path, keys: np.ndarray, shards: Sequence[Shard], names: Sequence[str], about: dict[str, Any]
) -> None:
    """Write what makes a folder of shards a cache.

    Args:
        folder: Of the shards.
        keys: Of all crops, in their order, :func:`key_of`.
        shards: In their order.
        names: The pictures of all crops, in their order, each below its data set's folder.
        about: What :attr:`CropCache.about` has beside the shards' hashes: plain values.
    """
    from safetensors.numpy import save

    ends = np.cumsum([len(shard.rows) for shard in shards])
    order = np.argsort(keys)
    rows, images = (np.concatenate([getattr(shard, name) for shard in shards]) for name in (_ROWS, _IMAGES))
    first = [place for place, name in enumerate(names) if not place or name != names[place - 1]]
    tensors = dict(
        keys=keys[order],
        place=order,
        ends=ends,
        rows=rows[order],
        image_names=np.frombuffer('\n'.join(names[place] for place in first).encode(), np.uint8),
        image_stamps=images[first],
    )
    about = dict(about, version=VERSION, shards=[shard.digest for shard in shards])
    content = save(tensors, dict(about=json.dumps(about)))
    with atomic_write(folder / INDEX) as file:
        file.write(content)


class CropCache:
    """A finished cache, read.

    Attributes:
        about: Its :class:`Recipe` as a dict, ``recipe``; the data sets, ``datasets``; the ``command`` that made it.

    Args:
        folder: Its folder.
        config: The file of the config that is to load from it, for messages.

    Raises:
        DataError: If there is none, or an unfinished one.
    """

    def __init__(self, folder: str | Path, config: str | None = None) -> None:
        self.folder, self._config = Path(folder), config
        if self.folder.is_file():
            raise DataError(
                f'{folder} is a file, and a crop cache is a folder: name {self.folder.parent}, if it is one'
            )
        try:
            with _open(self.folder / INDEX) as file:
                self.about: dict[str, Any] = json.loads((file.metadata() or {})['about'])
                self._keys, self._place, self._ends, self._rows = (
                    file.get_tensor(name) for name in ('keys', 'place', 'ends', 'rows')
                )
        except (FileNotFoundError, NotADirectoryError, KeyError, ValueError, _error()) as error:
            raise DataError(f'{self.folder} {self._lack()}: {BUILD.format(out=self.folder)}') from error
        if self.about['version'] != VERSION:
            raise DataError(f'{self.folder} is a crop cache of another version: {BUILD.format(out=self.folder)}')
        self._open: dict[int, Any] = {}

    @property
    def cure(self) -> str:
        """How to make it anew, for messages: for the config in use, if it is known."""
        return f'make it anew by {self.command_for(self._config) if self._config else self.about["command"]}'

    def command_for(self, config: str, folder: str | Path | None = None) -> str:
        """What makes a cache that is stored in the same way, of a config's data."""
        stored = {name: self.about['recipe'][name] for name in Storing._fields}
        changed = [(name, value) for name, value in stored.items() if value != Storing._field_defaults[name]]
        options = [word for name, value in changed for word in (f'--{name.replace("_", "-")}', str(value))]
        words = shlex.join([config, '--out', str(folder or self.folder), *options])
        return f'{_TOOL} {words} (and the --cfg-options of this run, if it has any)'

    def _lack(self) -> str:
        if (self.folder / INDEX).exists():
            return 'is a crop cache whose index cannot be read'
        if shards := len(list(self.folder.glob('crops-*.safetensors'))):
            return f'is a crop cache that is not finished ({shards} shards are there, which are kept)'
        return 'is no crop cache'

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, sample: dict[str, Any]) -> int | None:
        """The row of a sample's person, None if the cache has none."""
        key = np.uint64(key_of(sample))
        at = int(self._keys.searchsorted(key))
        return at if at < len(self._keys) and self._keys[at] == key else None

    def lacking(self, samples: Sequence[dict[str, Any]]) -> np.ndarray:
        """The places of the samples whose people the cache does not have."""
        keys = np.array([key_of(sample) for sample in samples], np.uint64)
        return np.flatnonzero(~np.isin(keys, self._keys))

    def row(self, at: int) -> CropRow:
        """Where a crop lies in its picture."""
        return CropRow(*self._rows[at].tolist())

    def crop(self, at: int) -> np.ndarray:
        """The pixels of a crop (h, w, 3), uint8, BGR; raw ones lie in the file and are only read.

        Raises:
            DataError: If its shard is missing or damaged.
            OSError: If the system cannot read it.
        """
        place = int(self._place[at])
        number = int(self._ends.searchsorted(place, 'right'))
        first = int(self._ends[number - 1]) if number else 0
        path = shard_path(self.folder, number)
        try:
            if number not in self._open:
                self._open[number] = _mapped(path)
            stored = self._open[number][str(place - first)]
        except (FileNotFoundError, KeyError, ValueError) as error:
            raise DataError(f'{path} is missing or damaged: {self.cure}') from error
        if stored.ndim == 3:
            return stored
        if (crop := cv2.imdecode(stored, cv2.IMREAD_COLOR)) is None:
            raise DataError(f'{path} is damaged, crop {place - first} of it is no picture: {self.cure}')
        return np.asarray(crop)

    def check_shards(self) -> None:
        """Check that the shards are those that the index was written for; their crops are not read.

        Raises:
            DataError: Naming the first that is not.
        """
        for number, digest in enumerate(self.about['shards']):
            shard = read_shard(path := shard_path(self.folder, number))
            if shard is None or shard.digest != digest:
                word = 'is missing or damaged' if shard is None else 'is of another cache'
                raise DataError(f'{path} {word}: {self.cure}, which keeps the shards that are right')

    def images(self) -> tuple[list[str], np.ndarray]:
        """Names of the pictures, below their data sets' folders and one data set after another, and their stamps."""
        with _open(self.folder / INDEX) as file:
            names, stamps = file.get_tensor('image_names'), file.get_tensor('image_stamps')
        return names.tobytes().decode().split('\n'), stamps


def image_stamp(path: str | Path, content: bool = True) -> tuple[int, int, int]:
    """Size in bytes, time of the last change in nanoseconds and a hash of an image file, 0 if not asked for."""
    stat = Path(path).stat()
    digest = hashlib.blake2b(Path(path).read_bytes(), digest_size=7).digest() if content else b''
    return stat.st_size, stat.st_mtime_ns, int.from_bytes(digest, 'little')


def _digest(tensors: dict[str, np.ndarray]) -> str:
    """A hash of arrays, in the order of their names."""
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(tensors):
        digest.update(f'{name}{tensors[name].shape}'.encode())
        digest.update(np.ascontiguousarray(tensors[name]).data)
    return digest.hexdigest()


def _open(path: Path) -> Any:
    from safetensors import safe_open

    path.open('rb').close()  # what the system says against it has its number here
    return safe_open(str(path), 'np')


def _mapped(path: Path) -> dict[str, np.ndarray]:
    """The arrays of bytes in a safetensors file as views of a memory map; the library itself would copy them.

    The map keeps no file open, as Python's own does, since a cache has more shards than a process may have files.
    """
    with open(path, 'rb') as file:
        size = os.fstat(file.fileno()).st_size
        start = 8 + int.from_bytes(file.read(8), 'little')
        header = json.loads(file.read(min(start, size) - 8))
    content = torch.from_file(str(path), shared=False, size=size, dtype=torch.uint8).numpy()
    content.flags.writeable = False
    views = {}
    for name, tensor in header.items():
        if tensor.get('dtype') == 'U8':
            first, last = tensor['data_offsets']
            views[name] = content[start + first : start + last].reshape(tensor['shape'])
    return views


def _error() -> type[Exception]:
    from safetensors import SafetensorError

    return SafetensorError
