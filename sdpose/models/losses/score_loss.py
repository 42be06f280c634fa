"""A regressed score against the teacher's confidence at the regressed place (DistilPose, section 3.3).

Shapes: B batch, K keypoints, H and W the size of the teacher's heatmaps.
"""

from typing import Any

import torch
from mmpose.registry import MODELS
from torch import Tensor

from .base import PREDICTION, DistillationLoss


@MODELS.register_module()
class ScoreLoss(DistillationLoss):
    """Weighted mean absolute difference; the place is looked up, so no gradient reaches the coordinates.

    Args:
        loss_weight: Factor of the mean.
    """

    reads = PREDICTION
    needs_weight = True

    @staticmethod
    @torch.no_grad()
    def look_up(coords: Tensor, heatmaps: Tensor) -> Tensor:
        """Value of each heatmap (B, K, H, W) at the nearest pixel of its keypoint, (B, K).

        0 outside the image, and for a coordinate that is NaN, which is no index: the other terms report it.
        """
        height, width = heatmaps.shape[-2:]
        x, y = coords.nan_to_num().clamp(0, 1).unbind(dim=-1)  # (B, K) each
        # By numbers, not by a tensor of the two: making one on a GPU has the host wait for it.
        column, row = (x * (width - 1)).round().long(), (y * (height - 1)).round().long()
        place = (row * width + column)[..., None]  # (B, K, 1), into the H * W values of a map
        value = heatmaps.flatten(2).gather(2, place)[..., 0]  # (B, K)
        return value * ((coords >= 0) & (coords <= 1)).all(dim=-1)

    def distance(self, student: Any, teacher: Tensor, weight: Tensor) -> Tensor:
        """The loss, a scalar.

        Args:
            student: A regression with ``coords`` (B, K, 2) and ``score`` (B, K, 1).
            teacher: Heatmaps (B, K, H, W).
            weight: Keypoint weights (B, K).

        Raises:
            ValueError: If the student regresses no score.
        """
        if getattr(student, 'score', None) is None:
            raise ValueError(
                "the score loss needs a student that regresses a score: set model.head.mode to 'all', "
                "'score' or '1sigma'"
            )
        target = self.look_up(student.coords, teacher)
        return ((student.score[..., 0] - target) * weight).abs().mean()
