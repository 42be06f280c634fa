"""Mean squared error between the tokens of a student and a teacher (SDPose, eq. 1 and 2)."""

from mmpose.registry import MODELS
from torch import Tensor
from torch.nn import functional as F

from .base import TOKENS, DistillationLoss
from .checks import require_same_shape


@MODELS.register_module()
class TokenMSELoss(DistillationLoss):
    """Mean over batch, tokens and channels of the squared difference, times ``loss_weight``.

    Args:
        loss_weight: Factor of the mean.
        normalize: Compare the tokens after a LayerNorm of each side without weight and bias: the mean then lies between
            0 and 4 whatever the length of the tokens. No norm follows the last layer, so that raw tokens have a free
            scale: pulled towards a fixed teacher that is the same map once more, both grow without end.
    """

    def __init__(self, loss_weight: float = 1.0, normalize: bool = False) -> None:
        super().__init__(loss_weight)
        self.normalize = normalize
        if normalize:
            self.reads = TOKENS  # the last axis of a map is no token

    def distance(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Loss of two equally shaped token sequences (B, T, D), a scalar.

        Raises:
            ValueError: If the shapes differ.
        """
        require_same_shape(student, teacher, 'tokens')
        if self.normalize:
            student, teacher = (F.layer_norm(tokens, tokens.shape[-1:]) for tokens in (student, teacher))
        return F.mse_loss(student, teacher)
