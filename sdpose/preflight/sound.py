"""Which entries of an annotation file the rules of single ones may mind, at the speed of arrays.

Those rules find words for what is wrong, and look at one entry after another. Here stands of which entries they are not
to be asked; that a rule minds what is doubtful is for the rule alone to say.
"""

import numpy as np

from sdpose.io.annotation_store import Store

_FAR = 1e25  # sums of so large numbers stay below what the rules allow


def are_images_sound(store: Store, crowd: bool) -> bool:
    """Whether ids are unique, and each image has a name, a size and, if CrowdPose's evaluation reads it, crowdIndex."""
    arrays = store.arrays
    return bool(
        all(store.names())
        and are_ids_unique(store)
        and (arrays.image_sizes > 0).all()
        and (not crowd or ((arrays.crowding >= 0) & (arrays.crowding < _FAR)).all())
    )


def are_ids_unique(store: Store) -> bool:
    """Whether no two images, and no two annotations, share an id."""
    return _are_unique(store.arrays.image_ids) and _are_unique(store.arrays.ids)


def _are_unique(ids: np.ndarray) -> bool:
    return bool((np.diff(np.sort(ids)) > 0).all())


def doubtful(store: Store, num_keypoints: int | None) -> list[int]:
    """The places of annotations that rules of single ones may mind.

    Args:
        store: The annotation file, whose values are of COCO's types.
        num_keypoints: Joints per person; None for any.
    """
    arrays = store.arrays
    whole = (arrays.listed == num_keypoints) | (num_keypoints is None)
    whole |= (arrays.listed == 0) & ((arrays.counted == 0) | (arrays.crowds != 0))
    whole &= _are_near(arrays.boxes) & (_are_near(arrays.joints) | (arrays.listed == 0))
    return np.flatnonzero((arrays.images < 0) | ((arrays.listed >= 0) & ~whole)).tolist()


def _are_near(values: np.ndarray) -> np.ndarray:
    """(N,) Whether all numbers of an annotation are finite, and none is far away."""
    axes = tuple(range(1, values.ndim))
    return (values.max(axis=axes, initial=0) < _FAR) & (values.min(axis=axes, initial=0) > -_FAR)  # False for NaN
