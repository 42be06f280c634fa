"""The names of a data set's joints, in the order in which a model predicts them."""

from collections.abc import Mapping
from typing import Any


def joint_names(metainfo: Mapping[str, Any]) -> list[str]:
    """The names of K joints, from the first to the last.

    Args:
        metainfo: As :func:`mmpose.datasets.datasets.utils.parse_pose_metainfo` returns it, whose ``keypoint_id2name``
            need not be in order.
    """
    names = metainfo['keypoint_id2name']
    return [names[joint] for joint in range(len(names))]
