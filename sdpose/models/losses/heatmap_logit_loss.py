"""The student's heatmaps against the teacher's as soft targets (FPD, eq. 2; the logit term of IKD and DPPT).

Shapes: B batch, K keypoints, H and W the size of the heatmaps.
"""

from typing import Any

from mmpose.models.losses import KeypointMSELoss
from mmpose.registry import MODELS
from torch import Tensor

from .base import DistillationLoss
from .checks import require_heatmaps, require_same_shape


@MODELS.register_module()
class HeatmapLogitLoss(DistillationLoss):
    """MMPose's mean squared error of heatmaps, as a distillation term.

    Args:
        use_target_weight: Count only the joints that are annotated. By default the teacher's opinion counts for every
            joint, which is what it adds to the annotation.
        loss_weight: Factor of the mean.
    """

    def __init__(self, use_target_weight: bool = False, loss_weight: float = 1.0) -> None:
        super().__init__(loss_weight)
        self.needs_weight = use_target_weight
        self.error = KeypointMSELoss(use_target_weight=use_target_weight)

    def check_head(self, head: Any) -> None:
        """Refuse a head that predicts no heatmaps.

        Raises:
            ValueError: If so.
        """
        require_heatmaps(head, self)

    def distance(self, student: Tensor, teacher: Tensor, weight: Tensor | None = None) -> Tensor:
        """Mean over heatmaps (B, K, H, W) with keypoint weights (B, K), a scalar.

        Raises:
            ValueError: If the shapes differ.
        """
        require_same_shape(student, teacher, 'heatmaps')
        return self.error(student, teacher, weight)
