"""The annotated people of a data set as arrays: what its class reads, beside what its file says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sdpose.datasets.array_coco_dataset import ArraySamples
from sdpose.io.annotation_store import Arrays

_NOTHING = (np.nan,) * 4
_ROUNDING = 1e-2  # of a class that reads a box in single precision


@dataclass
class People:
    """N people of K joints.

    Attributes:
        ids: Their annotations' ids, N of any type.
        boxes: (N, 4) x, y, width, height, as the file has them where the class reads these.
        joints: (N, K, 2) in pixels.
        labelled: (N, K) whether a joint counts.
        weights: (N, K) by which a joint counts.
        drawn: Whether boxes are annotated as such, and not made of a centre and a scale, in a unit of each data set.
        sizes: (N, 2) width and height of their pictures, NaN where unknown.
        pictures: (N,) numbers that tell their pictures apart.
        noun: What messages call them.
    """

    ids: list[Any]
    boxes: np.ndarray
    joints: np.ndarray
    labelled: np.ndarray
    weights: np.ndarray
    drawn: bool
    sizes: np.ndarray
    pictures: np.ndarray
    noun: str = 'annotations'

    def __len__(self) -> int:
        return len(self.ids)


def people_of(samples: Sequence[dict[str, Any]], content: Any) -> People | None:
    """The people of a data set.

    Args:
        samples: What the class reads, one person each.
        content: What the file holds, if it is JSON. The class clips boxes to the picture; where the file's box begins
            where the class's does, it is taken in its place.

    Returns:
        None if the samples have no joints and boxes, or several people each.
    """
    if isinstance(samples, ArraySamples):
        return _people_of_arrays(samples)
    samples = [info for info in samples if is_one_person(info)]
    if not samples:
        return None
    raw = _raw_boxes(content)
    said = np.array([raw.get(info.get('id'), _NOTHING) for info in samples], np.float64)
    weights = np.array([info['keypoints_visible'].ravel() for info in samples], np.float64)
    return People(
        ids=[info.get('id') for info in samples],
        boxes=_boxes(np.array([info['bbox'] for info in samples], np.float64).reshape(-1, 4), said),
        joints=np.array([info['keypoints'][0, :, :2] for info in samples], np.float64),
        labelled=weights > 0,
        drawn=not any('bbox_scale' in info for info in samples),
        weights=weights,
        sizes=np.array([info.get('entry_size', _NOTHING[:2]) for info in samples], np.float64),
        pictures=_numbers([info.get('img_path') for info in samples]),
    )


def _numbers(pictures: Sequence[Any]) -> np.ndarray:
    """The place at which each picture comes first; a video's sample has several."""
    first: dict[str, int] = {}
    return np.array([first.setdefault(str(picture), place) for place, picture in enumerate(pictures)], int)


def _people_of_arrays(samples: ArraySamples) -> People:
    arrays, rows = samples.store.arrays, samples.rows
    boxes = _boxes(samples.boxes.astype(np.float64), arrays.boxes[rows])
    return _of_rows(arrays, rows, boxes, samples.joints())


def people_of_rows(arrays: Arrays, rows: np.ndarray) -> People:
    """Some annotations of a file as people.

    Args:
        arrays: What the file holds.
        rows: (N,) places of annotations with joints, each on an image that is listed.
    """
    joints = arrays.joints[rows].astype(np.float32)  # the precision that the class has
    joints[..., 2] = np.minimum(1, joints[..., 2])
    return _of_rows(arrays, rows, arrays.boxes[rows], joints)


def _of_rows(arrays: Arrays, rows: np.ndarray, boxes: np.ndarray, joints: np.ndarray) -> People:
    """Annotations with boxes (N, 4), and x, y, weight of joints (N, K, 3)."""
    weights = joints[..., 2]
    return People(
        ids=arrays.ids[rows].tolist(),
        boxes=boxes,
        joints=joints[..., :2],
        labelled=weights > 0,
        drawn=True,
        weights=weights,
        sizes=arrays.image_sizes[arrays.images[rows]].astype(np.float64),
        pictures=arrays.images[rows],
    )


def _boxes(corners: np.ndarray, said: np.ndarray) -> np.ndarray:
    """Boxes (N, 4) of a class's corners, or of the file where these begin at the same place."""
    boxes = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
    same = (abs(np.maximum(said[:, :2], 0) - boxes[:, :2]) < _ROUNDING).all(axis=1)  # False for NaN
    boxes[same] = said[same]
    return boxes


def detected_people(samples: Sequence[dict[str, Any]]) -> People | None:
    """The boxes of a detector as people without joints, their ids counted from 0; None without boxes and sizes."""
    samples = [info for info in samples if 'img_shape' in info and np.size(info['bbox']) == 4]
    if not samples:
        return None
    boxes = np.array([info['bbox'] for info in samples], np.float64).reshape(-1, 4)
    boxes[:, 2:] -= boxes[:, :2]
    return People(
        ids=[info.get('id') for info in samples],
        boxes=boxes,
        joints=np.empty((len(samples), 0, 2)),
        labelled=np.empty((len(samples), 0), bool),
        weights=np.empty((len(samples), 0)),
        drawn=True,
        sizes=np.array([info['img_shape'][::-1] for info in samples], np.float64),
        pictures=_numbers([info.get('img_path') for info in samples]),
        noun='detections',
    )


def is_one_person(info: dict[str, Any]) -> bool:
    """Whether a sample is one annotated person: joints (1, K, 2), visibility (1, K) and a box (1, 4)."""
    joints, visible, box = (info.get(key) for key in ('keypoints', 'keypoints_visible', 'bbox'))
    if not isinstance(info.get('id'), (int, str, np.integer, type(None))):
        return False
    if not all(isinstance(value, np.ndarray) for value in (joints, visible, box)):
        return False
    joints, visible, box = np.asarray(joints), np.asarray(visible), np.asarray(box)
    return joints.ndim == 3 and joints.shape[0] == 1 and visible.size == joints.shape[1] and box.size == 4


def _raw_boxes(content: Any) -> dict[Any, list[float]]:
    """Boxes of annotations by their id."""
    annotations = content.get('annotations') if isinstance(content, dict) else None
    return {
        ann['id']: ann['bbox']
        for ann in (annotations if isinstance(annotations, list) else [])
        if isinstance(ann, dict) and isinstance(ann.get('id'), (int, str)) and _is_box(ann.get('bbox'))
    }


def _is_box(box: Any) -> bool:
    return isinstance(box, list) and len(box) == 4 and all(type(number) in (int, float) for number in box)
