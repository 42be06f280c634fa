"""Where the boxes of people come from: arrays, a detection file, a detector, or the whole picture."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sdpose.errors import DataError, UserError, first_few
from sdpose.io.json_file import read_json
from sdpose.io.single_picture import check_box, check_boxes

from .results import number_of
from .sources import Source

Found = tuple[np.ndarray, np.ndarray]
"""Boxes (N, 4), left, top, right, bottom in pixels of the picture, and their scores (N,), both float32."""


class Boxes:
    """The boxes of every picture, checked.

    Args:
        find: The boxes of a picture's number, name and pixels.
        ids: COCO's id of a picture's name, where a file gives it.
    """

    def __init__(self, find: Callable[[int, str, np.ndarray], Found], ids: dict[str, int] | None = None) -> None:
        self._find = find
        self._ids = ids or {}

    def __call__(self, number: int, name: str, image: np.ndarray) -> Found:
        """The boxes of a picture.

        Raises:
            DataError: If one holds nothing of the picture; the message names both.
        """
        boxes, scores = self._find(number, name, image)
        for box in boxes:
            try:
                check_box(box, image.shape[:2])
            except DataError as error:
                raise DataError(f'{name}: {error}') from error
        return boxes, scores

    def image_id(self, name: str) -> int | None:
        """COCO's id of a picture, None where no file gives it."""
        return self._ids.get(Path(name).name)


def whole_pictures() -> Boxes:
    """Every picture is one box."""
    return Boxes(lambda number, name, image: scored([[0, 0, image.shape[1], image.shape[0]]]))


def given_boxes(boxes: Any, source: Source) -> Boxes:
    """Boxes that were given as numbers.

    Args:
        boxes: (N, 4) for every picture, or a sequence of such arrays, one for each.
        source: The pictures.

    Raises:
        DataError: If they are no boxes, or there are more or fewer arrays than pictures.
    """
    if not _is_list_of_arrays(boxes):
        same = scored(check_boxes(boxes))
        return Boxes(lambda number, name, image: same)
    lists = [scored(check_boxes(each)) for each in boxes]
    if source.total is not None and source.total != len(lists):
        raise DataError(f'there are boxes for {len(lists)} pictures, but {source.name} has {source.total}')
    return Boxes(lambda number, name, image: lists[number])


def detected_boxes(detector: Callable[[np.ndarray], Any], least: float) -> Boxes:
    """The boxes that a detector finds.

    Args:
        detector: Takes a picture (H, W, 3) of 8 bits in the order blue, green, red, and returns (N, 4) left, top,
            right, bottom in pixels, or (N, 5) with a score behind.
        least: Boxes with a lower score are left out.
    """

    def find(number: int, name: str, image: np.ndarray) -> Found:
        boxes, scores = _split(detector(image))
        kept = scores >= least
        return boxes[kept], scores[kept]

    return Boxes(find)


def boxes_of_file(file: str | Path, source: Source, least: float) -> Boxes:
    """The boxes of a COCO-style file.

    A list of detections names pictures by ``image_id``: the name of a file, with or without its ending, the number
    that it is (785 for ``000000000785.jpg``), or the number of a frame from 0. A file with ``images`` and
    ``annotations`` names them by ``file_name``; there boxes are clipped to the picture, as data sets do.

    Args:
        file: The file.
        source: The pictures.
        least: Detections with a lower score are left out.

    Raises:
        DataError: If it is no such file, or has none of the pictures.
    """
    content = read_json(file, 'a file of detections')
    try:
        found, ids = _detections(content, least) if isinstance(content, list) else _annotations(content)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f'{file} is no list of detections with image_id, bbox and score, and no COCO annotation file with images '
            f'and annotations ({type(error).__name__}: {error})'
        ) from error
    if source.files and source.kind == 'pictures' and not any(_keys(0, name) & found.keys() for name in source.files):
        has = f'its pictures are {first_few([str(name) for name in found])}' if found else 'it has none of any picture'
        raise DataError(
            f'{file} has no box{f" with a score of {least:g} or more" if least else ""} for any of the '
            f'{len(source.files)} pictures of {source.name}: {has}'
        )

    def find(number: int, name: str, image: np.ndarray) -> Found:
        keys = _keys(number, name) if source.kind == 'pictures' else {number}
        boxes, scores, clipped = next((found[key] for key in keys if key in found), ([], [], False))
        array, heights = scored(check_boxes(boxes), scores)
        if clipped:
            array = np.clip(array, 0, np.tile(image.shape[1::-1], 2)).astype(np.float32)
        return array, heights

    return Boxes(find, ids)


def scored(boxes: Any, scores: Any = None) -> Found:
    """Boxes with their scores, 1 where there are none."""
    array = np.asarray([] if boxes is None else boxes, np.float32).reshape(-1, 4)
    return array, np.ones(len(array), np.float32) if scores is None else np.asarray(scores, np.float32)


def _split(found: Any) -> Found:
    """What a detector returned.

    Raises:
        UserError: If it is something else.
    """
    try:
        array = np.asarray(found, np.float32)
    except (TypeError, ValueError) as error:
        raise UserError(f'the detector must return boxes as (N, 4) or (N, 5) numbers: {error}') from error
    if array.size == 0:
        return scored(None)
    if array.ndim != 2 or array.shape[1] not in (4, 5):
        raise UserError(f'the detector must return (N, 4), or (N, 5) with scores, its shape is {array.shape}')
    return scored(array[:, :4], array[:, 4] if array.shape[1] == 5 else None)


def _is_list_of_arrays(boxes: Any) -> bool:
    """Whether boxes are given for each picture, not for all."""
    return isinstance(boxes, Sequence) and any(np.ndim(each) == 2 for each in boxes)


def _keys(number: int, name: str) -> set[Any]:
    """By what a detection may name a picture."""
    file = Path(name)
    return {name, file.name, file.stem, number_of(name)} - {None}


def _detections(content: list[dict[str, Any]], least: float) -> tuple[dict[Any, tuple[list, list, bool]], dict]:
    """The boxes of a list of detections, by picture."""
    found: dict[Any, tuple[list, list, bool]] = defaultdict(lambda: ([], [], False))
    for entry in content:
        score = float(entry.get('score', 1.0))
        if score >= least and entry.get('category_id', 1) == 1:
            left, top, width, height = map(float, entry['bbox'])
            boxes, scores, _ = found[entry['image_id']]
            boxes.append([left, top, left + width, top + height])
            scores.append(score)
    return {**found}, {}


def _annotations(content: dict[str, Any]) -> tuple[dict[Any, tuple[list, list, bool]], dict[str, int]]:
    """The boxes of an annotation file by the name of the picture, and the ids of the pictures."""
    names = {image['id']: Path(image['file_name']).name for image in content['images']}
    found: dict[Any, tuple[list, list, bool]] = {name: ([], [], True) for name in names.values()}
    for entry in content['annotations']:
        left, top, width, height = map(float, entry['bbox'])
        if width > 0 and height > 0 and not entry.get('iscrowd') and entry['image_id'] in names:
            boxes, scores, _ = found[names[entry['image_id']]]
            boxes.append([left, top, left + width, top + height])
            scores.append(1.0)
    return found, {name: number for number, name in names.items()}
