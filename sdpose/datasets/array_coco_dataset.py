"""MMPose's COCO-style data sets on arrays that are parsed once per machine.

Shapes: I images, N annotations, P samples, K joints.
"""

import os
from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import Any, overload

import numpy as np
from mmengine.dataset import BaseDataset
from mmpose.datasets import AP10KDataset, CocoDataset, CocoWholeBodyDataset, CrowdPoseDataset
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS

from sdpose.io.annotation_store import ABSENT, PARTS, Arrays, Store, open_store

from .joint_box import AREA

# Methods whose work is done on arrays.
_REPLACED = ('_load_annotations', 'parse_data_info', '_get_topdown_data_infos', '_is_valid_instance')


class _Sample(dict):
    """A sample that was made for whoever asked, and needs no copy."""

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        return dict(self)


class ArraySamples(Sequence[dict[str, Any]]):
    """The samples that MMPose makes of annotated people, each made when it is asked for.

    Args:
        store: The annotation file.
        folder: Where the images lie.
        rows: (P,), places of the annotations.
        boxes: (P, 4), left, top, right, bottom in pixels, clipped to the images.
        counted: (P,), how many joints a person has.
        areas: (P,), in square pixels.

    Attributes:
        complete: Whether MMPose's class reads only annotations with a box, ``num_keypoints`` and all joints.
    """

    complete = False

    def __init__(
        self, store: Store, folder: str, rows: np.ndarray, boxes: np.ndarray, counted: np.ndarray, areas: np.ndarray
    ) -> None:
        self.store = store
        self.folder = folder
        self.rows = rows
        self.boxes = boxes
        self.counted = counted
        self.areas = areas

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> dict[str, Any]: ...

    @overload
    def __getitem__(self, index: slice) -> 'ArraySamples': ...

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return self.take(index)
        row = int(self.rows[index])
        arrays, entry = self.store.arrays, self.store.entry(row)
        entry.setdefault('iscrowd', False)  # as xtcocotools does
        image = int(arrays.images[row])
        joints = arrays.joints[None, row].astype(np.float32)
        sample = _Sample(
            img_id=entry['image_id'],
            img_path=os.path.join(self.folder, self.store.name(image)),
            bbox=self.boxes[None, index].copy(),
            bbox_score=np.ones(1, np.float32),
            num_keypoints=entry.get('num_keypoints', self.counted[index]),
            keypoints=joints[..., :2].copy(),
            keypoints_visible=np.minimum(1, joints[..., 2]),
            area=np.array(self.areas[index]),
            iscrowd=entry['iscrowd'],
            segmentation=entry.get('segmentation'),
            id=entry['id'],
            category_id=np.array(entry['category_id']),
            raw_ann_info=entry,
            entry_size=tuple(arrays.image_sizes[image].tolist()),
        )
        if not np.isnan(arrays.crowding[image]):
            sample['crowd_index'] = float(arrays.crowding[image])
        return sample

    def __deepcopy__(self, memo: dict[int, Any]) -> 'ArraySamples':
        return self  # nobody writes to it

    def take(self, places: Any) -> 'ArraySamples':
        """The samples at some places, which are a slice or integers."""
        chosen = (values[places] for values in (self.rows, self.boxes, self.counted, self.areas))
        return type(self)(self.store, self.folder, *chosen)

    @staticmethod
    def highest(arrays: Arrays) -> np.ndarray:
        """(N,) The highest coordinate of the joints that samples of an annotation would have; NaN without joints."""
        return arrays.joints[..., :2].max(axis=(1, 2), initial=-np.inf).astype(np.float32)

    def joints(self) -> np.ndarray:
        """(P, K, 3) x and y in pixels, and weight, of each sample's joints."""
        joints = self.store.arrays.joints[self.rows].astype(np.float32)
        joints[..., 2] = np.minimum(1, joints[..., 2])
        return joints

    def ids(self) -> list[int]:
        """The annotation id of each sample."""
        return self.store.arrays.ids[self.rows].tolist()

    def image_paths(self) -> list[str]:
        """The path of each sample's image."""
        paths = [os.path.join(self.folder, name) for name in self.store.names()]
        return [paths[image] for image in self.store.arrays.images[self.rows].tolist()]

    def said_sizes(self, most: int) -> dict[str, tuple[int, int]]:
        """The size (w, h) by the annotation file, by path, of so many images at most, evenly spread over all."""
        images = np.flatnonzero(np.bincount(self.store.arrays.images[self.rows]))
        images = images[:: -(-len(images) // most)]
        paths = [os.path.join(self.folder, self.store.name(image)) for image in images.tolist()]
        return {path: (w, h) for path, (w, h) in zip(paths, self.store.arrays.image_sizes[images].tolist())}


class WholeBodySamples(ArraySamples):
    """The samples that MMPose makes of COCO-WholeBody, whose joints stand in five fields, each of which it requires."""

    complete = True

    def __getitem__(self, index: int | slice) -> Any:
        sample = super().__getitem__(index)
        if isinstance(sample, ArraySamples):
            return sample
        entry = sample['raw_ann_info']
        numbers = [number for field in ('keypoints', *PARTS) for number in entry[field]]
        joints = np.array(numbers).reshape(1, -1, 3)  # of integers if the file has no others
        sample.update(
            keypoints=joints[..., :2],
            keypoints_3d=None,
            keypoints_visible=np.minimum(1, joints[..., 2] > 0),
            category_id=entry['category_id'],
        )
        sample.pop('crowd_index', None)
        return sample

    @staticmethod
    def highest(arrays: Arrays) -> np.ndarray:
        """(N,) The highest coordinate of all joints; NaN where an annotation lacks those of a part."""
        if not arrays.parts.shape[1]:
            return np.full(len(arrays.ids), np.nan)
        body, parts = (joints[..., :2].max(axis=(1, 2), initial=-np.inf) for joints in (arrays.joints, arrays.parts))
        return np.maximum(body, parts)

    def joints(self) -> np.ndarray:
        """(P, K, 3) x and y in pixels, and weight, 0 or 1, of each sample's joints."""
        arrays = self.store.arrays
        joints = np.concatenate([arrays.joints[self.rows], arrays.parts[self.rows]], axis=1, dtype=np.float64)
        joints[..., 2] = joints[..., 2] > 0
        return joints


@lru_cache(maxsize=2)
def samples_of(
    store: Store, folder: str, interval: int = 1, kind: type[ArraySamples] = ArraySamples
) -> ArraySamples | None:
    """The people that MMPose takes, in its order: image by image.

    Args:
        store: The annotation file.
        folder: Where the images lie.
        interval: Images whose id is no multiple of it are passed over.
        kind: How a sample is made of an annotation.

    Returns:
        None if there are no images, ids are not unique, an image has no name or size, a person who is taken has no
        joints, or an annotation lacks what its class requires: MMPose has its own way with these.
    """
    arrays = store.arrays
    named = np.diff(arrays.name_ends, prepend=-1).min(initial=2) > 1
    kinds = [each.get('id') for each in store.categories or ()]
    unique = _unique(arrays.image_ids) and _unique(arrays.ids) and all(kinds.count(kind) == 1 for kind in kinds)
    if not (len(arrays.image_ids) and unique and named and (arrays.image_sizes > 0).all()):
        return None
    highest, listed = kind.highest(arrays), arrays.images >= 0
    whole = ~np.isnan(highest) & ~np.isnan(arrays.boxes[:, 0]) & (arrays.counted != ABSENT)
    if kind.complete and not whole[listed].all():
        return None
    boxes, areas = _boxes_and_areas(arrays)
    places = np.maximum(arrays.joints[..., 0], arrays.joints[..., 1]).astype(np.float32)
    counted = np.where(arrays.counted == ABSENT, np.count_nonzero(places, axis=1), arrays.counted)
    taken = (arrays.listed >= 0) & ~np.isnan(arrays.boxes[:, 0]) & listed
    taken &= (arrays.image_ids[arrays.images] % interval == 0) & (arrays.crowds == 0) & (counted != 0)
    taken &= (boxes[:, 2:] - boxes[:, :2] > 0).all(axis=1)
    if (arrays.listed[taken] == 0).any():
        return None
    taken &= highest > 0
    rows = np.flatnonzero(taken)
    rows = rows[arrays.images[rows].argsort(kind='stable')]
    return kind(store, folder, rows, boxes[rows], counted[rows], areas[rows])


def _unique(ids: np.ndarray) -> bool:
    return bool((np.diff(np.sort(ids)) > 0).all())


def _boxes_and_areas(arrays: Arrays) -> tuple[np.ndarray, np.ndarray]:
    """Corners (N, 4) within the images, and areas (N,): where the file has none, 0.53 of the box and at least 1."""
    low, size = arrays.boxes[:, :2], arrays.boxes[:, 2:]
    limit = arrays.image_sizes[arrays.images] - 1
    corners = np.clip(np.stack([low, low + size], axis=1), 0, limit[:, None])
    width, height = (corners[:, 1] - corners[:, 0]).T
    areas = np.where(np.isnan(arrays.areas), np.clip(width * height * AREA, 1, None), arrays.areas)
    return corners.reshape(-1, 4).astype(np.float32), areas.astype(np.float32)


def are_mmposes(kind: type, *methods: str, base: type = BaseCocoStyleDataset) -> bool:
    """Whether methods of a COCO-style class are those of a class of MMPose, and not a user's."""
    return all(getattr(kind, name) is getattr(base, name) for name in methods)


class ArrayAnnotations(BaseDataset):
    """Makes samples from the arrays of :func:`~sdpose.io.annotation_store.open_store`, for a class of MMPose behind it.

    Samples are MMPose's in every key. They are not serialized (``serialize_data``), since processes share the arrays,
    and polygons are read from the annotation file when a sample is made. Where the file is not in COCO's very form, the
    data are read bottom-up, or people come from a detector (``bbox_file``), MMPose's class reads them itself.
    """

    ann_file: str
    bbox_file: str | None
    data_list: Any
    data_mode: str
    sample_interval: int
    _form: tuple[type, type[ArraySamples]] = (BaseCocoStyleDataset, ArraySamples)  # whose reading is replaced, by what

    def load_data_list(self) -> Any:
        """The samples."""
        samples, (base, kind) = None, self._form
        if self.data_mode == 'topdown' and not self.bbox_file and are_mmposes(type(self), *_REPLACED, base=base):
            store = open_store(self.ann_file)
            if store is not None:
                samples = samples_of(store, self.data_prefix['img'], self.sample_interval, kind)
        if samples is None:
            return super().load_data_list()
        if samples.store.categories is not None:
            self._metainfo['CLASSES'] = samples.store.categories
        self.serialize_data = False
        return samples

    def full_init(self) -> None:
        """Read the samples; those that a filter has put into a list stay, and are copied for whoever asks."""
        super().full_init()
        if isinstance(self.data_list, list):
            self.data_list = [dict(each) if isinstance(each, _Sample) else each for each in self.data_list]

    def get_data_info(self, idx: int) -> dict[str, Any]:
        """A sample, whose lists of the metainfo, which no step writes into, are not copied as MMPose does."""
        if self._shared is None:
            return super().get_data_info(idx)
        shared = {key: each.copy() if isinstance(each, np.ndarray) else each for key, each in self._shared.items()}
        return {**BaseDataset.get_data_info(self, idx), **shared}

    @cached_property
    def _shared(self) -> dict[str, Any] | None:
        """What MMPose adds to every sample; None if a class behind this one makes samples of its own."""
        whole = super().get_data_info
        if getattr(whole, '__func__', None) is not BaseCocoStyleDataset.get_data_info:
            return None
        sample = BaseDataset.get_data_info(self, 0)
        return {key: value for key, value in whole(0).items() if key not in sample}

    def _get_unserialized_subset(self, indices: Any) -> Any:
        if isinstance(indices, Sequence) and isinstance(self.data_list, ArraySamples):
            return self.data_list.take(np.array(indices, int))
        return super()._get_unserialized_subset(indices)


@DATASETS.register_module()
class ArrayCocoDataset(ArrayAnnotations, CocoDataset):
    """MMPose's ``CocoDataset`` on shared arrays."""


@DATASETS.register_module()
class ArrayCrowdPoseDataset(ArrayAnnotations, CrowdPoseDataset):
    """MMPose's ``CrowdPoseDataset`` on shared arrays."""


@DATASETS.register_module()
class ArrayAP10KDataset(ArrayAnnotations, AP10KDataset):
    """MMPose's ``AP10KDataset`` on shared arrays."""


@DATASETS.register_module()
class ArrayCocoWholeBodyDataset(ArrayAnnotations, CocoWholeBodyDataset):
    """MMPose's ``CocoWholeBodyDataset`` on shared arrays."""

    _form = (CocoWholeBodyDataset, WholeBodySamples)
