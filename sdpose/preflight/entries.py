"""The entries of a COCO-style file as the rules about all of them see them: columns of the arrays, or of its objects.

Shapes: I images, N annotations, C kinds of categories.
"""

import sys
from collections.abc import Hashable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from sdpose.io.annotation_store import ABSENT, Store

_NO_BOX = (np.nan,) * 4
_LARGEST = sys.float_info.max  # an integer may be larger


@dataclass(frozen=True)
class Entries:
    """A file whose images have ids, and whose annotations have ids of their own.

    Attributes:
        image_ids: I ids of images.
        names: I file names.
        sizes: (I, 2) width and height; NaN where the file has none.
        ids: (N,) ids of annotations.
        images: (N,) the place of an annotation's image; -1 if the file does not list it.
        kinds: C values of ``category_id``.
        categories: (N,) the place of an annotation's among them.
        people: (N,) whether an annotation has key points, or an empty list of them.
        listing: (N,) whether it lists some.
        flags: (N,) the highest flag of visibility, and
        places: the highest coordinate of a joint; NaN or -inf where there is none.
        nested: (N,) whether the key points are a list for each joint.
        boxes: (N, 4) x, y, width, height; NaN where they are not four numbers.
        counted: (N,) ``num_keypoints``; NaN where it is no number.
        areas: (N,) in square pixels; NaN where it is no number.
        crowds: (N,) whether an annotation stands for a crowd.
        head: What the file has beside images and annotations, ``categories`` at least.
        source: Where entries stand as they are in the file.
    """

    image_ids: list[int]
    names: list[str]
    sizes: np.ndarray
    ids: np.ndarray
    images: np.ndarray
    kinds: list[Any]
    categories: np.ndarray
    people: np.ndarray
    listing: np.ndarray
    flags: np.ndarray
    places: np.ndarray
    nested: np.ndarray
    boxes: np.ndarray
    counted: np.ndarray
    areas: np.ndarray
    crowds: np.ndarray
    head: dict[str, Any]
    source: Store | dict[str, Any]

    @property
    def used(self) -> np.ndarray:
        """(N,) Whether an annotation is a person to learn from, by what it says of itself."""
        return self.people & ~self.crowds & (self.counted != 0)

    @property
    def labelled(self) -> np.ndarray:
        """(N,) Whether an annotation is a person, and no crowd, with a labelled joint."""
        return (self.flags > 0) & ~self.crowds

    def at(self, rows: Sequence[int]) -> list[dict[str, Any]]:
        """Some annotations as they stand in the file."""
        if isinstance(self.source, Store):
            return [self.source.entry(row) for row in rows]
        return [self.source['annotations'][row] for row in rows]

    def images_to_ask(self) -> list[dict[str, Any]]:
        """The images as they stand in the file, for a rule of single images; none of the store, where all are sound."""
        return [] if isinstance(self.source, Store) else self.source['images']

    def annotations_to_ask(self, sound: np.ndarray | None = None) -> list[dict[str, Any]]:
        """The annotations as they stand in the file, for a rule of single annotations.

        Args:
            sound: (N,) those of whom the arrays of the store tell that the rule does not mind them; None for all.

        Returns:
            The others of the store; all of a file that was read object by object.
        """
        if isinstance(self.source, Store):
            return [] if sound is None else self.at(np.flatnonzero(~sound).tolist())
        return self.source['annotations']

    def people_to_ask(self, sound: np.ndarray) -> list[dict[str, Any]]:
        """Those of them that have key points."""
        return [ann for ann in self.annotations_to_ask(sound | ~self.people) if 'keypoints' in ann]


def entries_of_store(store: Store) -> Entries:
    """The entries of a file that was parsed into arrays."""
    arrays = store.arrays
    kinds, categories = np.unique(arrays.categories, return_inverse=True)
    return Entries(
        image_ids=arrays.image_ids.tolist(),
        names=store.names(),
        sizes=arrays.image_sizes.astype(np.float64),
        ids=arrays.ids,
        images=arrays.images,
        kinds=kinds.tolist(),
        categories=categories,
        people=arrays.listed >= 0,
        listing=arrays.listed > 0,
        flags=arrays.joints[..., 2].max(axis=1, initial=-np.inf),
        places=arrays.joints[..., :2].max(axis=(1, 2), initial=-np.inf),
        nested=np.zeros(len(arrays.ids), bool),
        boxes=arrays.boxes,
        counted=np.where(arrays.counted == ABSENT, np.nan, arrays.counted),
        areas=arrays.areas,
        crowds=arrays.crowds != 0,
        head={} if store.categories is None else dict(categories=store.categories),
        source=store,
    )


def entries_of_content(content: dict[str, Any]) -> Entries:
    """The entries of a file that was read object by object; values of any type are taken, also where no rule asked."""
    images, annotations = content['images'], content['annotations']
    places = {image['id']: place for place, image in enumerate(images)}
    joints = [ann.get('keypoints') for ann in annotations]
    numbers = [_list(flat(ann)['keypoints']) if 'keypoints' in ann else [] for ann in annotations]
    kinds, categories = _kinds([ann.get('category_id') for ann in annotations])
    return Entries(
        image_ids=[image['id'] for image in images],
        names=[image.get('file_name') for image in images],
        sizes=_numbers([[image.get('width'), image.get('height')] for image in images], 2),
        ids=np.array([ann['id'] for ann in annotations], object),  # beyond 64 bits, too
        images=np.array([_place(places, ann.get('image_id')) for ann in annotations], np.int64),
        kinds=kinds,
        categories=categories,
        people=np.array(['keypoints' in ann for ann in annotations], bool),
        listing=np.array([bool(each) for each in joints], bool),
        flags=np.array([_highest(each[2::3]) for each in numbers], np.float64),
        places=np.array([max(_highest(each[0::3]), _highest(each[1::3])) for each in numbers], np.float64),
        nested=np.array([any(isinstance(each, (list, dict)) for each in _list(value)) for value in joints], bool),
        boxes=_numbers([_box(ann.get('bbox')) for ann in annotations], 4),
        counted=_numbers([[ann.get('num_keypoints')] for ann in annotations], 1)[:, 0],
        areas=_numbers([[ann.get('area')] for ann in annotations], 1)[:, 0],
        crowds=np.array([bool(ann.get('iscrowd')) for ann in annotations], bool),
        head={key: value for key, value in content.items() if key not in ('images', 'annotations')},
        source=content,
    )


def flat(ann: dict[str, Any]) -> dict[str, Any]:
    """An annotation whose key points are one list: MMPose reads a list of three numbers for each joint as well."""
    keypoints = ann['keypoints']
    if (
        isinstance(keypoints, list)
        and keypoints
        and all(isinstance(joint, list) and len(joint) == 3 for joint in keypoints)
    ):
        return {**ann, 'keypoints': [number for joint in keypoints for number in joint]}
    return ann


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _box(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) and len(value) == 4 and all(map(_is_finite, value)) else _NO_BOX


def _is_finite(value: Any) -> bool:
    """Whether this is a finite number, or a truth value, which arithmetic takes as one."""
    return isinstance(value, (int, float)) and abs(value) <= _LARGEST


def _highest(values: Sequence[Any]) -> float:
    """The highest of some numbers; -inf where there are none."""
    with suppress(TypeError):
        if _is_finite(highest := max(values, default=-np.inf)) or not values:
            return highest
    return max(filter(_is_finite, values), default=-np.inf)


def _numbers(rows: Sequence[Sequence[Any]], width: int) -> np.ndarray:
    """(N, width) Numbers, NaN in place of anything else."""
    plain = [[each if _is_finite(each) else np.nan for each in row] for row in rows]
    return np.array(plain, np.float64).reshape(-1, width)


def _place(places: dict[int, int], image: Any) -> int:
    return places.get(image, -1) if isinstance(image, int) else -1


def _kinds(values: Iterable[Any]) -> tuple[list[Any], np.ndarray]:
    """The values that are there, once each, and the place of each among them."""
    kinds: list[Any] = []
    first: dict[Any, int] = {}
    places = []
    for value in values:
        key = value if isinstance(value, Hashable) else (repr(value),)
        if key not in first:
            first[key] = len(kinds)
            kinds.append(value)
        places.append(first[key])
    return kinds, np.array(places, np.int64)
