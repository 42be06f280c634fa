"""Batches of images with target heatmaps that are drawn on the device.

Shapes: B batch, K keypoints, H and W the heatmap size.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmengine.structures import PixelData
from mmpose.models.data_preprocessors import PoseDataPreprocessor
from mmpose.registry import MODELS
from torch import Tensor

from sdpose.structures import HeatmapPlan

from .batch_copy import copy_images, copy_samples, have_one_size
from .warp import warp


@MODELS.register_module()
class HeatmapDataPreprocessor(PoseDataPreprocessor):
    """``PoseDataPreprocessor`` that draws the heatmaps of samples that ship joints (``DeferredTarget``) in their place.

    Samples that ship a part of a picture (``DeferredAffine``) are cropped to the input first.

    Samples that have their heatmaps, or none, pass as in MMPose. Images of one size go to the device, and are
    normalized, as a batch: the same numbers as MMPose's image by image, in fewer steps, and no step waits for the
    device.

    Args:
        mean: As for ``PoseDataPreprocessor``, like all further arguments.
        non_blocking: Whether the host goes on while a batch is copied to the device.
    """

    def __init__(self, *args: Any, non_blocking: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, non_blocking=non_blocking, **kwargs)

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Preprocess a batch: ``inputs``, images (B, 3, H, W), and ``data_samples`` with ``gt_fields.heatmaps``."""
        if waits_for_warp(data['data_samples'] or ()):
            data = dict(data, inputs=self._warped(data['inputs'], data['data_samples']))
        data = self._as_batch(data) if self._is_plain(data) else super().forward(data, training)
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

    def _warped(self, parts: Sequence[Tensor], samples: Sequence[Any]) -> Tensor:
        """The input images (B, 3, H, W) of parts of pictures."""
        matrices = np.stack([sample.metainfo['input_matrix'] for sample in samples])
        return warp(parts, matrices, samples[0].metainfo['input_size'], self.device, self._non_blocking)

    def _is_plain(self, data: dict[str, Any]) -> bool:
        """Whether images have three channels, and need neither padding nor what MMPose does to whole batches."""
        return (
            self.pad_size_divisor == 1
            and self.batch_augments is None
            and bool(data.get('data_samples'))
            and have_one_size(data['inputs'])
            and data['inputs'][0].shape[:-2] == (3,)  # others are refused by MMPose where it matters
        )

    def _as_batch(self, data: dict[str, Any]) -> dict[str, Any]:
        """What ``PoseDataPreprocessor`` makes of images of one size."""
        images = copy_images(data['inputs'], self.device, self._non_blocking)  # (B, 3, H, W)
        samples = copy_samples(data['data_samples'], self.device, self._non_blocking)
        if self._channel_conversion:
            images = images.flip(1)  # an index [2, 1, 0] would be copied to the device, and waited for
        images = images.float()
        if self._enable_normalize:
            images = (images - self.mean).div_(self.std)
        size = tuple(images.shape[-2:])
        for sample in samples:
            sample.set_metainfo(dict(batch_input_shape=size, pad_shape=size))
        return dict(inputs=images, data_samples=samples)


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


def waits_for_warp(samples: Sequence[Any]) -> bool:
    """Whether samples ship parts of pictures, which only :class:`HeatmapDataPreprocessor` crops to the input."""
    return any('input_matrix' in getattr(sample, 'metainfo', ()) for sample in samples)


def ships_joints(samples: Sequence[Any]) -> bool:
    """Whether samples have joints in place of heatmaps, which only :class:`HeatmapDataPreprocessor` draws."""
    return any('heatmap_plan' in getattr(sample, 'gt_instance_labels', ()) for sample in samples)
