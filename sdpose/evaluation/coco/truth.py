"""The annotated people of a COCO file as arrays, parsed once for all metrics that read the file.

Shapes: G people, K joints, I images.
"""

import os
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sdpose.errors import DataError
from sdpose.io.json_file import read_json

_BOX_SHARE = 0.53  # of its box, the area of a person whose own is not used: xtcocotools'


class Truth(NamedTuple):
    """Annotated people of the file's images and categories, by category and image, within one in the file's order.

    Attributes:
        file: The annotation file.
        images: (I,), ids, rising.
        crowding: (I,), CrowdPose's index of how crowded an image is; NaN where the file has none.
        categories: Ids, rising.
        group: (G,), place of the category times I plus place of the image; rising.
        joints: (G, K, 2), in pixels.
        labelled: (G, K), whether a joint has a visibility above 0.
        counted: (G,), ``num_keypoints`` of the file; -1 where it has none.
        boxes: (G, 4): left, top, width, height in pixels.
        given_areas: (G,), in square pixels; NaN where the file has none.
        crowd: (G,), whether an annotation stands for a group of people.
    """

    file: str
    images: np.ndarray
    crowding: np.ndarray
    categories: np.ndarray
    group: np.ndarray
    joints: np.ndarray
    labelled: np.ndarray
    counted: np.ndarray
    boxes: np.ndarray
    given_areas: np.ndarray
    crowd: np.ndarray

    def areas(self, use_area: bool) -> np.ndarray:
        """Areas (G,) in square pixels: the file's, or 0.53 of the boxes'.

        Raises:
            DataError: If the file's are wanted and someone has none.
        """
        if not use_area:
            return self.boxes[:, 2] * self.boxes[:, 3] * _BOX_SHARE
        lacking = int(np.isnan(self.given_areas).sum())
        if lacking:
            raise DataError(
                f'{self.file}: {lacking} of {len(self.group)} people have no area, which OKS divides by: add it, or '
                'evaluate with use_area=False'
            )
        return self.given_areas

    def ignored(self, crowded: bool) -> np.ndarray:
        """Whom (G,) it is no mistake to miss: groups, and people without labelled joints.

        Args:
            crowded: Whether CrowdPose's rule counts, which is ``num_keypoints`` of the file: joints of visibility 2.

        Raises:
            DataError: If the file lacks what the rule reads.
        """
        if not crowded:
            return self.crowd | ~self.labelled.any(axis=1)
        if (self.counted < 0).any():
            raise DataError(
                f'{self.file}: {(self.counted < 0).sum()} people have no num_keypoints, which CrowdPose reads'
            )
        return self.crowd | (self.counted == 0)


def load_truth(file: str | Path) -> Truth:
    """The annotated people of a COCO file; a file that has not changed since is not read again.

    Raises:
        DataError: If it is no COCO annotation file, or an entry is damaged.
    """
    try:
        state = os.stat(file)
    except OSError as error:
        raise DataError(f'{file} cannot be read to evaluate with: {error.strerror}') from error
    return _load(str(file), state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=2)
def _load(file: str, changed: int, size: int) -> Truth:
    """The truth of one state of a file."""
    content = read_json(file, 'a COCO annotation file')
    lists = ('images', 'annotations', 'categories')
    lacking = [key for key in lists if not isinstance(content, dict) or not isinstance(content.get(key), list)]
    if lacking:
        raise DataError(f'{file} has no list of {" and ".join(lacking)}: ground truth to evaluate with needs them')
    try:
        return _parse(file, content)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise DataError(
            f'{file} is no COCO annotation file of people: {type(error).__name__}: {error}; each annotation needs id, '
            'image_id, category_id, bbox and as many keypoints as the others'
        ) from error


def _parse(file: str, content: dict[str, Any]) -> Truth:
    images = {image['id']: image for image in content['images']}
    ids, categories = np.unique(list(images)), np.unique([each['id'] for each in content['categories']])
    image_place = {image: place for place, image in enumerate(ids.tolist())}
    category_place = {category: place for place, category in enumerate(categories.tolist())}
    own = [
        ann for ann in content['annotations'] if ann['image_id'] in image_place and ann['category_id'] in category_place
    ]
    group = np.array([category_place[ann['category_id']] * len(ids) + image_place[ann['image_id']] for ann in own], int)
    order = group.argsort(kind='stable')
    people = [own[place] for place in order.tolist()]
    flat = _keypoints(people)
    return Truth(
        file=file,
        images=ids,
        crowding=np.array([images[image].get('crowdIndex', np.nan) for image in ids.tolist()], float),
        categories=categories,
        group=group[order],
        joints=np.ascontiguousarray(flat[..., :2]),
        labelled=flat[..., 2] > 0,
        counted=np.array([ann.get('num_keypoints', -1) if 'keypoints' in ann else 0 for ann in people], int),
        boxes=np.array([ann.get('bbox', (0, 0, 0, 0)) for ann in people], float).reshape(-1, 4),
        given_areas=np.array([_area(ann) for ann in people], float),
        crowd=np.array([bool(ann.get('iscrowd')) for ann in people], bool),
    )


def _keypoints(people: list[dict[str, Any]]) -> np.ndarray:
    """Joints with visibility (G, K, 3); zeros for annotations of boxes alone, such as those of other things."""
    values = next((len(ann['keypoints']) for ann in people if 'keypoints' in ann), 0)
    nobody = [0.0] * values
    return np.array([ann.get('keypoints', nobody) for ann in people], float).reshape(len(people), values // 3, 3)


def _area(ann: dict[str, Any]) -> float:
    if 'area' not in ann and 'keypoints' not in ann:
        _, _, width, height = ann.get('bbox', (0, 0, 0, 0))
        return width * height
    return ann.get('area', np.nan)
