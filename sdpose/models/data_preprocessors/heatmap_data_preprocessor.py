"""Batches of images with target heatmaps that are drawn on the device.

Shapes: B batch, K keypoints, H and W the heatmap size.
"""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.structures import PixelData
from mmpose.models.data_preprocessors import PoseDataPreprocessor
from mmpose.registry import MODELS
from torch import Tensor

from sdpose.structures import HeatmapPlan


@MODELS.register_module()
class HeatmapDataPreprocessor(PoseDataPreprocessor):
    """``PoseDataPreprocessor`` that draws the heatmaps of samples that ship joints (``DeferredTarget``) in their place.

    Samples that have their heatmaps, or none, pass as in MMPose.

    Args:
        mean: As for ``PoseDataPreprocessor``, like all further arguments.
    """

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Preprocess a batch: ``inputs``, images (B, 3, H, W), and ``data_samples`` with ``gt_fields.heatmaps``."""
        data = super().forward(data, training)
        groups: dict[HeatmapPlan, list[Any]] = {}
        for sample in data['data_samples'] or ():
            labels: Any = getattr(sample, 'gt_instance_labels', ())
            if 'heatmap_plan' in labels:
                groups.setdefault(labels.heatmap_plan[0], []).append(sample)
        for plan, samples in groups.items():
            joints = torch.cat([sample.gt_instance_labels.heatmap_joints for sample in samples])  # (B, K, 2)
            for sample, heatmaps in zip(samples, draw_heatmaps(joints, plan)):
                sample.gt_fields = PixelData(heatmaps=heatmaps)
        return data


def draw_heatmaps(joints: Tensor, plan: HeatmapPlan) -> Tensor:
    """Target heatmaps of joints, those of MMPose's ``MSRAHeatmap``.

    A Gaussian is the product of one over columns and one over rows, which takes (W + H) exponentials instead of W H.

    Args:
        joints: Pixels of the heatmap, (B, K, 2), float32; an infinite one is not drawn.
        plan: Size, width and kind of the Gaussians.

    Returns:
        (B, K, H, W), float32, the largest value of a Gaussian 1 (unbiased: where a joint meets a pixel).
    """
    center = joints if plan.unbiased else torch.trunc(joints + 0.5)
    columns, rows = (_gaussians(center[..., axis], plan.size[axis], plan) for axis in range(2))  # (B, K, W), (B, K, H)
    return rows[..., :, None] * columns[..., None, :]


def _gaussians(center: Tensor, length: int, plan: HeatmapPlan) -> Tensor:
    """One-dimensional Gaussians (B, K, length) around centers (B, K)."""
    distance = torch.arange(length, dtype=torch.float32, device=center.device) - center[..., None]
    values = torch.exp(distance.square() / (-2 * plan.sigma**2))
    return values if plan.unbiased else values * (distance.abs() <= 3 * plan.sigma)


def ships_joints(samples: Sequence[Any]) -> bool:
    """Whether samples have joints in place of heatmaps, which only :class:`HeatmapDataPreprocessor` draws."""
    return any('heatmap_plan' in getattr(sample, 'gt_instance_labels', ()) for sample in samples)
