"""What a COCO annotation file holds, as arrays.

Shapes: I images, N annotations, K joints.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple, TypeVar

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType

Number = int | float
ABSENT = np.iinfo(np.int64).min  # in place of an integer that an entry does not have
_CHUNK = 8192  # annotations that are objects of Python at a time
_SEPARATOR = '\0'  # of file names, which cannot contain it
PARTS = {'foot_kpts': 6, 'face_kpts': 68, 'lefthand_kpts': 21, 'righthand_kpts': 21}  # COCO-WholeBody's, with joints


class Arrays(NamedTuple):
    """Images and annotations in the order of the file.

    Attributes:
        image_ids: (I,)
        image_sizes: (I, 2), width and height; 0 where the file has none.
        crowding: (I,), CrowdPose's ``crowdIndex``; NaN where the file has none.
        names: UTF-8 of the images' file names, each with a zero byte behind it.
        name_ends: (I,), where each of them ends, before the zero byte.
        ids: (N,)
        images: (N,), the place of an annotation's image; -1 if the file does not list it.
        categories: (N,), ids.
        boxes: (N, 4), left, top, width, height in pixels; NaN where an annotation has none.
        joints: (N, K, 3), x, y in pixels and visibility; float32 where that loses nothing.
        parts: (N, 116, 3), the joints of COCO-WholeBody's feet, face and hands in this order, as those of the body; NaN
            where an annotation lacks one of the parts; (N, 0, 3) if all do.
        listed: (N,), the number of joints that an annotation lists: K, or 0; -1 for one without ``keypoints``.
        counted: (N,), ``num_keypoints``; :data:`ABSENT` where an annotation has none.
        areas: (N,), in square pixels; NaN where an annotation has none.
        crowds: (N,), ``iscrowd``; 0 where an annotation has none.
        starts: (N,), the byte of the file at which an annotation begins; empty if that is unknown.
        ends: (N,), the byte behind it.
    """

    image_ids: np.ndarray
    image_sizes: np.ndarray
    crowding: np.ndarray
    names: np.ndarray
    name_ends: np.ndarray
    ids: np.ndarray
    images: np.ndarray
    categories: np.ndarray
    boxes: np.ndarray
    joints: np.ndarray
    parts: np.ndarray
    listed: np.ndarray
    counted: np.ndarray
    areas: np.ndarray
    crowds: np.ndarray
    starts: np.ndarray
    ends: np.ndarray


class _Image(msgspec.Struct):
    id: Number
    file_name: str = ''
    width: Number = 0
    height: Number = 0
    crowdIndex: Number = np.nan  # noqa: N815  (the file's key)


class _Annotation(msgspec.Struct):
    id: Number
    image_id: Number
    category_id: Number
    bbox: tuple[float, float, float, float] = (np.nan,) * 4
    keypoints: list[float] | UnsetType = UNSET
    num_keypoints: Number = ABSENT
    area: float = np.nan
    iscrowd: Number = 0
    foot_kpts: list[float] | UnsetType = UNSET
    face_kpts: list[float] | UnsetType = UNSET
    lefthand_kpts: list[float] | UnsetType = UNSET
    righthand_kpts: list[float] | UnsetType = UNSET


class _File(msgspec.Struct):
    images: list[_Image]
    annotations: list[msgspec.Raw]
    categories: list[dict[str, Any]] | UnsetType = UNSET


Entry = TypeVar('Entry', bound=msgspec.Struct)


def parse(data: bytes) -> tuple[Arrays, list[dict[str, Any]] | None] | None:
    """Arrays of a file, and its ``categories`` or None if it has none.

    Returns:
        None if a field is not of the type that COCO has: the generic reader of JSON may take it, or name the fault.
    """
    try:
        file = msgspec.json.decode(data, type=_File)
        places = _places(data, file.annotations)
        decode = msgspec.json.Decoder(_Annotation).decode
        categories = None if file.categories is UNSET else file.categories
        return _arrays(file.images, map(decode, file.annotations), places), categories
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def from_content(content: dict[str, Any]) -> Arrays:
    """Arrays, without ``parts``, of what a generic reader of JSON made of a file: ``1.0`` and ``true`` stand for 1.

    Raises:
        KeyError, TypeError, ValueError: If an entry lacks a field, or has something else in it.
    """
    images = [_entry(_Image, image) for image in content['images']]
    return _arrays(images, (_entry(_Annotation, each) for each in content['annotations']), np.empty((2, 0), np.int64))


def _entry(kind: type[Entry], values: dict[str, Any]) -> Entry:
    names = kind.__struct_fields__
    required = names[: len(names) - len(kind.__struct_defaults__)]
    taken = [name for name in names if name in required or name in values and name not in PARTS]
    return kind(**{name: _plain(values[name]) for name in taken})


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, bool) or isinstance(value, float) and value.is_integer() else value


def _places(data: bytes, entries: Sequence[Any]) -> np.ndarray:
    """(2, N) Where the objects of a list begin and end, each of which is a view of the data."""
    lengths = [len(memoryview(entry)) for entry in entries]
    starts = []
    place = _address(entries[0]) - _address(data) if entries else 0
    for length in lengths:
        place = data.index(b'{', place)  # only white space and a comma lie between two
        starts.append(place)
        place += length
    return np.array([starts, np.add(starts, lengths)], np.int64).reshape(2, -1)


def _address(view: Any) -> int:
    return np.frombuffer(view, np.uint8).__array_interface__['data'][0]


def _arrays(images: Sequence[Any], annotations: Iterator[Any], places: np.ndarray) -> Arrays:
    """Entries as arrays.

    Raises:
        ValueError: If an id or a count is no integer, a name contains a zero byte, or people have different numbers of
            joints.
    """
    image_ids = _integers([image.id for image in images])
    names = [image.file_name.encode() for image in images]
    if any(b'\0' in name for name in names):
        raise ValueError('a file name contains a zero byte')
    columns = _columns(annotations)
    return Arrays(
        image_ids=image_ids,
        image_sizes=_integers([(image.width, image.height) for image in images]).reshape(-1, 2),
        crowding=np.array([image.crowdIndex for image in images], np.float64),
        names=np.frombuffer(b''.join(name + b'\0' for name in names), np.uint8),
        name_ends=np.cumsum([len(name) + 1 for name in names], dtype=np.int64) - 1,
        images=_find(columns.pop('images'), image_ids),
        starts=places[0],
        ends=places[1],
        **columns,
    )


def _columns(annotations: Iterator[Any]) -> dict[str, np.ndarray]:
    """Fields of annotations as arrays; ``images`` are ids."""
    columns_of: list[dict[str, np.ndarray]] = []
    joints: list[np.ndarray] = []
    parts: list[np.ndarray] = []
    for chunk in _chunks(annotations):
        columns_of.append(
            dict(
                ids=_integers([each.id for each in chunk]),
                images=_integers([each.image_id for each in chunk]),
                categories=_integers([each.category_id for each in chunk]),
                boxes=np.array([each.bbox for each in chunk], np.float64).reshape(-1, 4),
                counted=_integers([each.num_keypoints for each in chunk]),
                areas=np.array([each.area for each in chunk], np.float64),
                crowds=_integers([each.iscrowd for each in chunk]),
                listed=np.array([len(each.keypoints) if each.keypoints is not UNSET else -1 for each in chunk], int),
                whole=np.array([_has_parts(each) for each in chunk], bool),
            )
        )
        joints.append(_numbers([each.keypoints for each in chunk if each.keypoints is not UNSET and each.keypoints]))
        parts.append(_numbers([_part_joints(each) for each in chunk if _has_parts(each)]))
    columns = {name: np.concatenate([part[name] for part in columns_of]) for name in columns_of[0]}
    rows = np.flatnonzero(columns['listed'] > 0)
    columns['joints'] = _spread(joints, rows, len(columns['ids']))
    columns['parts'] = _spread(parts, np.flatnonzero(columns.pop('whole')), len(columns['ids']))
    columns['listed'][rows] = columns['joints'].shape[1]
    return columns


def _spread(found: list[np.ndarray], rows: np.ndarray, total: int) -> np.ndarray:
    """(N, K, 3) The joints of some annotations, chunk by chunk, in their rows, and NaN in the others."""
    values = np.concatenate([part for part in found if len(part)] or [np.empty((0, 0), np.float32)])
    count = values.shape[1] // 3
    joints = np.full((total, count, 3), np.nan, values.dtype)
    joints[rows] = values.reshape(len(rows), count, 3)
    return joints


def _has_parts(annotation: Any) -> bool:
    return all(getattr(annotation, name) is not UNSET for name in PARTS)


def _part_joints(annotation: Any) -> list[float]:
    """The joints of COCO-WholeBody's parts, one after another.

    Raises:
        ValueError: If a part has another number of joints.
    """
    if any(len(getattr(annotation, name)) != 3 * count for name, count in PARTS.items()):
        raise ValueError(f'parts have these numbers of joints: {PARTS}')
    return [number for name in PARTS for number in getattr(annotation, name)]


def _chunks(entries: Iterator[Any]) -> Iterator[list[Any]]:
    """Lists of entries, one at least."""
    chunk = list(islice(entries, _CHUNK))
    yield chunk
    while chunk := list(islice(entries, _CHUNK)):
        yield chunk


def _integers(values: Sequence[Any]) -> np.ndarray:
    """int64 of integers.

    Raises:
        ValueError: If one is something else.
    """
    array = np.array(values)
    if array.dtype.kind != 'i' and array.size:
        raise ValueError('ids, sizes, num_keypoints and iscrowd must be integers')
    return array.astype(np.int64)


def _numbers(lists: Sequence[Sequence[float]]) -> np.ndarray:
    """Equally long lists of numbers, in single precision where that loses nothing.

    Raises:
        ValueError: If they are not.
    """
    exact = np.array(lists, np.float64)
    with np.errstate(over='ignore'):
        single = exact.astype(np.float32)
    return single if np.array_equal(single, exact, equal_nan=True) else exact


def _find(ids: np.ndarray, among: np.ndarray) -> np.ndarray:
    """The place of each id, -1 for one that is not there; of an id that is there twice, the last place."""
    if not len(among):
        return np.full(len(ids), -1)
    order = among.argsort(kind='stable')
    places = order[np.searchsorted(among, ids, side='right', sorter=order) - 1]
    return np.where(among[places] == ids, places, -1)
