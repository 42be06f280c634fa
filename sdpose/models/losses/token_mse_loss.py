"""Mean squared error between the tokens of a student and a teacher (SDPose, eq. 1 and 2)."""
from mmpose.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F


@MODELS.register_module()
class TokenMSELoss(nn.Module):
    """Mean over batch, tokens and channels of the squared difference, times ``loss_weight``.

    Args:
        loss_weight: factor of the mean.

    Raises:
        ValueError: if the weight is negative.
    """

    def __init__(self, loss_weight: float = 1.) -> None:
        super().__init__()
        if loss_weight < 0:
            raise ValueError(f'loss_weight must not be negative, got {loss_weight}')
        self.loss_weight = loss_weight

    def forward(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Loss of two equally shaped token sequences (B, T, D), a scalar.

        Raises:
            ValueError: if the shapes differ (broadcasting would give a number that means nothing).
        """
        if student.shape != teacher.shape:
            raise ValueError(f'tokens of student and teacher must have one shape, got {tuple(student.shape)} '
                             f'and {tuple(teacher.shape)}')
        return self.loss_weight * F.mse_loss(student, teacher)
