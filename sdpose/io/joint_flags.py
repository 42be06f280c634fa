"""COCO's flags of joints: not labelled, hidden, seen.

Shapes: K joints.
"""

from typing import Any

import numpy as np

UNLABELLED, HIDDEN, SEEN = -1.0, 0.0, 1.0  # a joint's label of visibility


def visibility_of(entry: Any) -> np.ndarray | None:
    """Labels (1, K) of an annotation's flags: ``SEEN`` for 2, ``HIDDEN`` for 1, ``UNLABELLED`` for 0.

    Args:
        entry: The annotation in COCO's format; None, or one without joints, gives None.
    """
    joints = entry.get('keypoints') if isinstance(entry, dict) else None
    if joints is None or len(joints) == 0 or len(joints) % 3:
        return None
    return np.minimum(np.asarray(joints, np.float32)[2::3], 2)[None] - 1
