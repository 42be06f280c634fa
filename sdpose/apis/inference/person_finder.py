"""The person finder of MediaPipe (BlazePose's detector), for pictures of one or a few large people, offline.

Its file has 3 MB, see :mod:`.mediapipe_model`. It finds the middle of a person's hips and a point on the circle around
the whole person.
"""

from collections.abc import Iterator

import cv2
import numpy as np

from .mediapipe_model import load_mediapipe_model

_FILE = 'mediapipe/modules/pose_detection/pose_detection.tflite'
_SIDE = 224
_POINTS, _SCORES = (2254, 12), (2254, 1)  # outputs: for each anchor
# Cells of (stride, anchors in each), in the order of the outputs.
_GRIDS = ((8, 2), (16, 2), (32, 6))
_ASPECT = 0.75  # of a person's box, whose height is the circle's diameter
_LEAST = 0.1  # score
_SAME = 0.7  # the share of a box in one of a higher score, from which on both are one person
_CUT = 0.25  # of its height that a box may reach out of a part


class PersonFinder:
    """Finds people in a picture, or in overlapping parts of it.

    Args:
        file: The ``.tflite`` file, or a wheel that holds it; None for that of an installed mediapipe.
        tiles: In how many rows and columns of overlapping parts, beside the whole, people are looked for: 1 for the
            whole alone; more find smaller people, and take the time of as many pictures.

    Raises:
        UserError: If the file or what runs it is missing.
    """

    def __init__(self, file: str | None = None, tiles: int = 1) -> None:
        self._model, self._input, places = load_mediapipe_model(_FILE, file, '--detector', {_POINTS, _SCORES})
        self._points, self._scores = places[_POINTS], places[_SCORES]
        self._anchors = _anchor_centers()
        self.tiles = tiles

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """The people (N, 5) in a picture (H, W, 3), BGR: left, top, right, bottom in pixels, and score."""
        found = np.concatenate([self._find(image, part) for part in _parts(image.shape, self.tiles)])
        kept: list[np.ndarray] = []
        for person in found[np.argsort(-found[:, 4], kind='stable')]:
            if not kept or _share(person, np.array(kept)).max() < _SAME:
                kept.append(person)
        return np.array(kept, np.float32).reshape(-1, 5)

    def _find(self, image: np.ndarray, part: tuple[int, int, int, int]) -> np.ndarray:
        """The people (N, 5) in a part of the picture, in pixels of the picture."""
        left, top, right, bottom = part
        scale = _SIDE / max(right - left, bottom - top)
        width, height = (max(1, round(scale * length)) for length in (right - left, bottom - top))
        margin = (_SIDE - width) // 2, (_SIDE - height) // 2
        square = np.zeros((_SIDE, _SIDE, 3), np.uint8)
        small = cv2.resize(image[top:bottom, left:right], (width, height), interpolation=cv2.INTER_AREA)
        square[margin[1] : margin[1] + height, margin[0] : margin[0] + width] = small
        self._model.set_tensor(self._input, square[None, ..., ::-1].astype(np.float32) / 127.5 - 1)
        self._model.invoke()
        scores = 1 / (1 + np.exp(-np.clip(self._model.get_tensor(self._scores)[0, :, 0], -80, 80)))
        sure = scores > _LEAST
        points = self._model.get_tensor(self._points)[0, sure, 4:8].reshape(-1, 2, 2) + self._anchors[sure, None]
        hips, rim = ((points[:, number] - margin) / scale + (left, top) for number in (0, 1))
        boxes = np.clip(_around(hips, rim - hips), 0, np.tile(image.shape[1::-1], 2))
        # Who reaches out of a part, but not out of the picture, is cut off here and whole in another part.
        inside = np.clip(boxes, (left, top, left, top), (right, bottom, right, bottom))
        whole = np.abs(inside - boxes).max(axis=1) <= _CUT * (boxes[:, 3] - boxes[:, 1])
        whole &= (boxes[:, 2:] - boxes[:, :2] > 2).all(axis=1)
        return np.column_stack([boxes, scores[sure]])[whole].astype(np.float32)


def _anchor_centers() -> np.ndarray:
    """The centres (2254, 2) of the anchors in pixels of the model, grid by grid and row by row."""
    centers = []
    for stride, count in _GRIDS:
        places = (np.arange(_SIDE // stride) + 0.5) * stride
        x, y = np.meshgrid(places, places)
        centers.append(np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), count, axis=0))
    return np.concatenate(centers)


def _around(hips: np.ndarray, rim: np.ndarray) -> np.ndarray:
    """Boxes (N, 4) around hips (N, 2), in the direction of the rim (N, 2), seen from there, as high as the circle."""
    radius = np.linalg.norm(rim, axis=1, keepdims=True)
    along = np.abs(rim) / np.maximum(radius, 1e-6)
    half = radius * np.maximum(along, _ASPECT * along[:, ::-1])
    return np.concatenate([hips - half, hips + half], axis=1)


def _parts(shape: tuple[int, ...], tiles: int) -> Iterator[tuple[int, int, int, int]]:
    """Left, top, right, bottom of the whole picture, and of parts that overlap by half."""
    height, width = shape[:2]
    yield 0, 0, width, height
    if tiles == 1:
        return
    wide, high = (round(2 * length / (tiles + 1)) for length in (width, height))
    for top in np.linspace(0, height - high, tiles).astype(int).tolist():
        for left in np.linspace(0, width - wide, tiles).astype(int).tolist():
            yield left, top, left + wide, top + high


def _share(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The share (N,) of a box (>= 4,) that lies in each of others (N, >= 4)."""
    size = np.clip(np.minimum(box[2:4], others[:, 2:4]) - np.maximum(box[:2], others[:, :2]), 0, None)
    return size.prod(axis=1) / (box[2:4] - box[:2]).prod()
