"""Cross-entropy against class probabilities, as mixed images have them (DeiT).

Shapes: B batch, N classes.
"""

from mmpose.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from .checks import require_weight


@MODELS.register_module()
class SoftCrossEntropyLoss(nn.Module):
    """Mean over the batch of ``-sum_n target_n log softmax(logits)_n``, times ``loss_weight``.

    Unlike a distance it is not zero at equality: it is then the entropy of the target.

    Args:
        label_smoothing: Share of the target that is spread evenly over all classes.
        loss_weight: Factor of the mean.

    Raises:
        ValueError: If a value is out of range.
    """

    def __init__(self, label_smoothing: float = 0.0, loss_weight: float = 1.0) -> None:
        super().__init__()
        if not 0 <= label_smoothing < 1:  # 1 leaves nothing of the target
            raise ValueError(f'label_smoothing must lie in [0, 1), got {label_smoothing}')
        self.label_smoothing = label_smoothing
        self.loss_weight = require_weight(loss_weight)

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Loss of logits (B, N) against probabilities (B, N), a scalar.

        Raises:
            ValueError: If the shapes differ.
        """
        if logits.shape != target.shape:  # torch names two numbers and no key
            raise ValueError(
                f'logits and target must have one shape, got {tuple(logits.shape)} and '
                f'{tuple(target.shape)}: num_classes of the head and of the data set differ'
            )
        return self.loss_weight * F.cross_entropy(logits, target, label_smoothing=self.label_smoothing)
