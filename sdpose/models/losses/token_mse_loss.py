"""Mean squared error between the tokens of a student and a teacher (SDPose, eq. 1 and 2)."""

from mmpose.registry import MODELS
from torch import Tensor
from torch.nn import functional as F

from .base import DistillationLoss
from .checks import require_same_shape


@MODELS.register_module()
class TokenMSELoss(DistillationLoss):
    """Mean over batch, tokens and channels of the squared difference, times ``loss_weight``.

    Args:
        loss_weight: Factor of the mean.
    """

    def distance(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Loss of two equally shaped token sequences (B, T, D), a scalar.

        Raises:
            ValueError: If the shapes differ.
        """
        require_same_shape(student, teacher, 'tokens')
        return F.mse_loss(student, teacher)
