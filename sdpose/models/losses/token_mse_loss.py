"""Mean squared error between the tokens of a student and a teacher (SDPose, eq. 1 and 2)."""

from mmpose.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from .checks import require_same_shape, require_weight


@MODELS.register_module()
class TokenMSELoss(nn.Module):
    """Mean over batch, tokens and channels of the squared difference, times ``loss_weight``.

    Args:
        loss_weight: factor of the mean.

    Raises:
        ValueError: if the weight is negative.
    """

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.loss_weight = require_weight(loss_weight)

    def forward(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Loss of two equally shaped token sequences (B, T, D), a scalar.

        Raises:
            ValueError: if the shapes differ.
        """
        require_same_shape(student, teacher, 'tokens')
        return self.loss_weight * F.mse_loss(student, teacher)
