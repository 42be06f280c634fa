"""The annotated people of a COCO file as arrays, for all metrics that read the file.

Shapes: G people, K joints, I images.
"""

import os
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sdpose.errors import DataError
from sdpose.io.annotation_store import ABSENT, Arrays, from_content, open_store
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
    store = open_store(file)
    if store is not None and store.categories and all('id' in each for each in store.categories):
        return _truth(file, store.arrays, store.categories)
    content = read_json(file, 'a COCO annotation file')
    lists = ('images', 'annotations', 'categories')
    lacking = [key for key in lists if not isinstance(content, dict) or not isinstance(content.get(key), list)]
    if lacking:
        raise DataError(f'{file} has no list of {" and ".join(lacking)}: ground truth to evaluate with needs them')
    try:
        return _truth(file, from_content(content), content['categories'])
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise DataError(
            f'{file} is no COCO annotation file of people: {type(error).__name__}: {error}; each annotation needs id, '
            'image_id, category_id, bbox and as many keypoints as the others'
        ) from error


def _truth(file: str, arrays: Arrays, listed: list[dict[str, Any]]) -> Truth:
    images, first, image_order = np.unique(arrays.image_ids, return_index=True, return_inverse=True)
    categories = np.unique([each['id'] for each in listed if isinstance(each['id'], (int, float))]).astype(int)
    own = np.flatnonzero((arrays.images >= 0) & np.isin(arrays.categories, categories))
    group = np.searchsorted(categories, arrays.categories[own]) * len(images) + image_order[arrays.images[own]]
    order = group.argsort(kind='stable')
    own = own[order]
    joints, boxes = arrays.joints[own].astype(np.float64), arrays.boxes[own]
    joints[arrays.listed[own] <= 0] = 0
    boxes[np.isnan(boxes).all(axis=1)] = 0
    bare = arrays.listed[own] < 0
    areas, counted = arrays.areas[own], arrays.counted[own]
    return Truth(
        file=file,
        images=images,
        crowding=arrays.crowding[first],
        categories=categories,
        group=group[order],
        joints=np.ascontiguousarray(joints[..., :2]),
        labelled=joints[..., 2] > 0,
        counted=np.where(bare, 0, np.where(counted == ABSENT, -1, counted)),
        boxes=boxes,
        given_areas=np.where(bare & np.isnan(areas), boxes[:, 2] * boxes[:, 3], areas),
        crowd=arrays.crowds[own] != 0,
    )
