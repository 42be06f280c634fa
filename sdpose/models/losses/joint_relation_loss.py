"""How the joints' heatmaps relate to each other, in student and teacher (IKD's structure term, a proposal).

IKD's abstract asks that the student's prediction carry the teacher's structural knowledge; the formula is not public.

Shapes: B batch, K keypoints, H and W the size of the heatmaps.
"""

from typing import Any

import torch
from mmpose.registry import MODELS
from torch import Tensor
from torch.nn import functional as F

from .base import DistillationLoss
from .checks import require_heatmaps, require_same_shape

# Below this norm a map has no direction to speak of; a Gaussian of sigma 2 has 3.5. It bounds the gradient.
EPS = 1e-3


@MODELS.register_module()
class JointRelationLoss(DistillationLoss):
    """Mean squared error between the cosine matrices (K, K) of the joints' heatmaps.

    Args:
        loss_weight: Factor of the mean over batch and matrix; the diagonal, always equal, counts with it.
    """

    def check_head(self, head: Any) -> None:
        """Refuse a head that predicts no heatmaps.

        Raises:
            ValueError: If so.
        """
        require_heatmaps(head, self)

    @staticmethod
    def relations(heatmaps: Tensor) -> Tensor:
        """Cosines between the joints of heatmaps (B, K, H, W), as (B, K, K); 0 for an empty map."""
        # In half precision neighbouring cosines lie 1e-3 apart or more: what the loss is to see would be rounded away.
        with torch.autocast(heatmaps.device.type, enabled=False):
            unit = F.normalize(heatmaps.float().flatten(2), dim=2, eps=EPS)  # (B, K, H * W)
            return unit @ unit.transpose(1, 2)  # (B, K, K)

    def distance(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Loss of heatmaps (B, K, H, W), a scalar.

        Raises:
            ValueError: If their shapes differ.
        """
        require_same_shape(student, teacher, 'heatmaps')
        return F.mse_loss(self.relations(student), self.relations(teacher))
