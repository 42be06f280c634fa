"""Heatmap targets left to the model's preprocessor: a sample ships where its joints are, not what is drawn of them.

Shapes: N = 1 person, K keypoints.
"""

from typing import Any

import numpy as np
from mmpose.codecs import MSRAHeatmap
from mmpose.datasets.transforms import GenerateTarget
from mmpose.registry import TRANSFORMS

from sdpose.structures import HeatmapPlan


@TRANSFORMS.register_module()
class DeferredTarget(GenerateTarget):
    """``GenerateTarget`` whose heatmaps are drawn by ``HeatmapDataPreprocessor``, for a whole batch on the device.

    For 17 joints and 256 x 192 pixels a sample is 0.41 times as large on its way there, and the loader is spared the
    drawing. ``keypoint_weights`` are the codec's. This is for an ``MSRAHeatmap``, unbiased or with a whole sigma;
    every other codec encodes here, as in MMPose.

    Args:
        encoder: As for ``GenerateTarget``, like all further arguments.
    """

    encoder: Any  # codecs are not typed

    def __init__(self, encoder: Any, **kwargs: Any) -> None:
        super().__init__(encoder, **kwargs)
        if _can_wait(self.encoder):
            self.encoder = _JointsOf(self.encoder)


def _can_wait(codec: Any) -> bool:
    """Whether its heatmaps are those that the preprocessor draws."""
    drawn_so = isinstance(codec, MSRAHeatmap) and type(codec).encode is MSRAHeatmap.encode
    return drawn_so and (codec.unbiased or float(codec.sigma).is_integer())


class _JointsOf:
    """What ``GenerateTarget`` calls instead of a codec.

    Args:
        codec: The codec.
    """

    auxiliary_encode_keys: set[str] = set()
    field_mapping_table: dict[str, str] = {}
    instance_mapping_table: dict[str, str] = {}
    label_mapping_table = dict(
        heatmap_joints='heatmap_joints', heatmap_plan='heatmap_plan', keypoint_weights='keypoint_weights'
    )

    def __init__(self, codec: MSRAHeatmap) -> None:
        self.codec = codec
        self.plan = HeatmapPlan(tuple(codec.heatmap_size), codec.sigma, codec.unbiased)

    def encode(self, keypoints: np.ndarray, keypoints_visible: np.ndarray | None = None) -> dict[str, Any]:
        """Joints in pixels of the heatmap and their weights.

        Args:
            keypoints: Pixels of the input, (1, K, 2).
            keypoints_visible: (1, K); None if all are visible.

        Returns:
            ``heatmap_joints`` (1, K, 2), infinitely far away where nothing is to be drawn, because a joint is not
            visible or no pixel within three sigma is in the heatmap; ``keypoint_weights`` (1, K), 0 for the latter; and
            the :class:`HeatmapPlan` in a tuple of one, which MMPose's packing step and structures hold as it is.
        """
        visible = np.ones(keypoints.shape[:2], np.float32) if keypoints_visible is None else keypoints_visible
        joints = keypoints / self.codec.scale_factor
        center = joints if self.plan.unbiased else (joints + 0.5).astype(np.int64)
        reach = 3 * self.plan.sigma
        outside = ((center - reach >= self.plan.size) | (center + reach + 1 < 0)).any(axis=-1)
        unseen = visible < 0.5
        weights = np.where(outside & ~unseen, visible.dtype.type(0), visible)
        joints = np.where((outside | unseen)[..., None], np.inf, joints).astype(np.float32)
        return dict(heatmap_joints=joints, heatmap_plan=(self.plan,), keypoint_weights=weights)
