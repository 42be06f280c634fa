"""Class probabilities of a student against a teacher's (Hinton et al. 2015, section 2).

Shapes: B batch, N classes.
"""

import math
from typing import Any

from mmpose.registry import MODELS
from torch import Tensor
from torch.nn import functional as F

from .base import PREDICTION, DistillationLoss
from .checks import require_same_shape


@MODELS.register_module()
class ClassKLLoss(DistillationLoss):
    """``T^2 KL(softmax(teacher / T) || softmax(student / T))``, the mean over the batch.

    Args:
        temperature: T; its square keeps the gradients' scale.
        loss_weight: Factor of the mean.

    Raises:
        ValueError: If the temperature is not positive.
    """

    reads = PREDICTION

    def __init__(self, temperature: float = 1.0, loss_weight: float = 1.0) -> None:
        super().__init__(loss_weight)
        if not 0 < temperature < math.inf:  # 0 divides, a negative one takes the least likely class
            raise ValueError(f'temperature must be positive, got {temperature}')
        self.temperature = temperature

    def check_head(self, head: Any) -> None:
        """Refuse a head whose predictions are no logits of classes.

        Raises:
            ValueError: If so.
        """
        if not hasattr(head, 'num_classes'):  # a softmax over the columns of a heatmap would be one number, too
            raise ValueError(f'ClassKLLoss compares logits of classes, which {type(head).__name__} does not predict')

    def distance(self, student: Tensor, teacher: Tensor) -> Tensor:
        """The divergence of logits (B, N), a scalar.

        Raises:
            ValueError: If the shapes differ.
        """
        require_same_shape(student, teacher, 'logits')
        # In half precision a logarithm lies up to a 256th of itself away, and the divergence may be below 0.
        ours, theirs = ((logits.float() / self.temperature).log_softmax(dim=-1) for logits in (student, teacher))
        return self.temperature**2 * F.kl_div(ours, theirs, reduction='batchmean', log_target=True)
