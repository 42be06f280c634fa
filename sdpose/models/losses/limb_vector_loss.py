"""Limbs of the predicted pose as vectors between soft-argmax joints (IKD's optional limb term, a proposal).

Shapes: B batch, K keypoints, L limbs, H and W the size of the heatmaps.
"""

from collections.abc import Sequence
from typing import Any

import torch
from mmpose.registry import MODELS
from torch import Tensor

from .base import PREDICTION, DistillationLoss
from .checks import require_heatmaps, require_same_shape, require_same_size


@MODELS.register_module()
class LimbVectorLoss(DistillationLoss):
    """Mean squared difference of the limbs' vectors, in widths and heights of the heatmap.

    A limb counts with the product of its joints' weights: where a joint is not annotated, the soft-argmax of its map
    is meaningless.

    Args:
        limbs: Pairs of joint indices; None for every pair of joints.
        beta: Sharpness of the soft-argmax, the factor of a heatmap (whose peak is about 1) before its softmax.
        loss_weight: Factor of the mean over batch, limbs and both axes.

    Raises:
        ValueError: If a value is out of range.
    """

    reads = PREDICTION
    needs_weight = True

    def __init__(
        self, limbs: Sequence[Sequence[int]] | None = None, beta: float = 50.0, loss_weight: float = 1.0
    ) -> None:
        super().__init__(loss_weight)
        if beta <= 0:  # the soft-argmax would point away from the peak
            raise ValueError(f'beta must be positive, got {beta}')
        pairs = [(0, 1)] if limbs is None else limbs
        # else: a limb to itself is zero
        if not pairs or any(len(pair) != 2 or len(set(pair)) != 2 or min(pair) < 0 for pair in pairs):
            raise ValueError(f'limbs must be pairs of two different joint indices, got {limbs}')
        self.limbs = limbs
        self.beta = beta

    def check_head(self, head: Any) -> None:
        """Refuse a head that predicts no heatmaps.

        Raises:
            ValueError: If so.
        """
        require_heatmaps(head, self)

    def places(self, heatmaps: Tensor) -> Tensor:
        """Soft-argmax of heatmaps (B, K, H, W) as (B, K, 2), x over the width and y over the height."""
        height, width = heatmaps.shape[-2:]
        # In half precision the sum over a map is off by more than a student is.
        density = (self.beta * heatmaps.float()).flatten(2).softmax(dim=2)  # (B, K, H * W)
        density = density.unflatten(2, (height, width))  # (B, K, H, W)
        x = torch.arange(width, device=heatmaps.device) / width
        y = torch.arange(height, device=heatmaps.device) / height
        across, down = density.sum(dim=2), density.sum(dim=3)  # (B, K, W) and (B, K, H)
        return torch.stack([(across * x).sum(dim=2), (down * y).sum(dim=2)], dim=2)  # (B, K, 2)

    def distance(self, student: Tensor, teacher: Tensor, weight: Tensor) -> Tensor:
        """Loss of heatmaps (B, K, H, W) with keypoint weights (B, K), a scalar.

        Raises:
            ValueError: If their shapes differ, or a limb names a joint that they lack.
        """
        require_same_size(student, teacher, 'heatmaps')
        require_same_shape(student, teacher, 'heatmaps')
        first, second = self._ends(student.shape[1])
        drift = self.places(student) - self.places(teacher)  # a limb's difference is that of its ends' drifts
        difference = (_chosen(drift, first) - _chosen(drift, second)).square()  # (B, L, 2)
        both = (_chosen(weight, first) * _chosen(weight, second))[..., None]  # (B, L, 1)
        return (difference * both).mean()

    def _ends(self, joints: int) -> tuple[list[int], list[int]]:
        limbs = self.limbs or torch.combinations(torch.arange(joints)).tolist()
        if max(map(max, limbs)) >= joints:
            raise ValueError(f'limbs name joint {max(map(max, limbs))}, but there are {joints} joints, counted from 0')
        first, second = zip(*limbs)
        return list(first), list(second)


def _chosen(values: Tensor, joints: Sequence[int]) -> Tensor:
    """Rows of joints, (B, L, ...); an index would be copied to the device, and waited for."""
    rows = values.unbind(1)
    return torch.stack([rows[joint] for joint in joints], dim=1)
