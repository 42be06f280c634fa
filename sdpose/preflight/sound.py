"""Whether an annotation file is sound, at the speed of arrays.

Most files are, and the checks that find words for what is wrong or odd look at one entry after another. A file that is
sound here is one on which they have nothing to say.
"""

from typing import Any

import numpy as np

from sdpose.io.annotation_store import Arrays, Store

_HUGE = 1e28  # sums of so large numbers stay below what the checks of single numbers allow


def is_sound(store: Store, num_keypoints: int) -> bool:
    """Whether :func:`~sdpose.preflight.coco.check_people` has nothing to say of a file's entries.

    Args:
        store: The annotation file.
        num_keypoints: Joints per person that the config expects.
    """
    arrays, names = store.arrays, store.names()
    listed = (arrays.listed < 0) | (arrays.listed == num_keypoints)
    listed |= (arrays.listed == 0) & ((arrays.counted == 0) | (arrays.crowds != 0))
    return bool(
        all(names)
        and _are_unique(names, arrays.image_ids.tolist(), arrays.ids.tolist())
        and _are_between(arrays.image_sizes, 1, _HUGE)
        and (arrays.images >= 0).all()
        and (arrays.listed > 0).any()
        and listed.all()
        and _are_between(arrays.boxes[arrays.listed >= 0], -_HUGE, _HUGE)
        and _are_between(arrays.joints[arrays.listed > 0], -_HUGE, _HUGE)
        and arrays.joints[arrays.listed > 0, :, 2].max() <= 2
        and _is_everybody_used(arrays)
    )


def _are_unique(*columns: list[Any]) -> bool:
    return all(len(set(column)) == len(column) for column in columns)


def _are_between(values: np.ndarray, low: float, high: float) -> bool:
    """Whether no value is beyond the limits, or NaN."""
    return not values.size or bool(low <= values.min() and values.max() <= high)


def used_people(arrays: Arrays) -> np.ndarray:
    """(N,) Whether an annotation is a person to learn from, by what it says of itself."""
    return (arrays.listed >= 0) & (arrays.crowds == 0) & (arrays.counted != 0)


def _labelled(arrays: Arrays) -> np.ndarray:
    """(N,) Whether an annotation is a person with a labelled joint."""
    return (arrays.joints[..., 2] > 0).any(axis=1) & (arrays.crowds == 0)


def _is_everybody_used(arrays: Arrays) -> bool:
    """Whether MMPose takes everybody with labelled joints: with a box in the picture, and a joint in it."""
    used, labelled = used_people(arrays), _labelled(arrays)
    positive = np.maximum(arrays.joints[..., 0], arrays.joints[..., 1]).max(axis=1) > 0
    bare = (arrays.listed < 0) & np.isin(arrays.categories, arrays.categories[arrays.listed > 0])
    low, size = arrays.boxes[used, :2], arrays.boxes[used, 2:]
    inside = (size > 0) & (low < arrays.image_sizes[arrays.images[used]] - 1) & (low + size > 0)
    return bool(
        not bare.any()
        and not (labelled & ((arrays.counted == 0) | ~positive)).any()
        and inside.all()
        and positive[used].any()
    )


def is_evaluated_soundly(store: Store, use_area: bool, crowd: bool) -> bool:
    """Whether :func:`~sdpose.preflight.evaluated.check_evaluated` has nothing to say of a file.

    Args:
        store: An annotation file that :func:`is_sound`.
        use_area: The option of ``CocoMetric``.
        crowd: Whether CrowdPose's evaluation reads it.
    """
    arrays, people, labelled = store.arrays, store.arrays.listed >= 0, _labelled(store.arrays)
    listed = [each.get('id') for each in store.categories or ()]
    known = None not in listed and all(kind in listed for kind in set(arrays.categories[labelled].tolist()))
    boxes = np.prod(arrays.boxes[labelled, 2:], axis=1)
    areas = not use_area or (
        _are_between(arrays.areas[people], -_HUGE, _HUGE)
        and (arrays.areas[labelled] >= 1).all()
        and ((arrays.areas[labelled] <= 4 * boxes) | (boxes <= 0)).all()
    )
    crowds = not crowd or (_are_between(arrays.crowding, 0, _HUGE) and (arrays.counted[people] >= 0).all())
    return bool(known and (arrays.ids[people] >= 0).all() and areas and crowds)
