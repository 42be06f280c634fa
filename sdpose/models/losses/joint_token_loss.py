"""The joints' tokens behind chosen layers of student and teacher (DPPT's joint feature term, a proposal).

DPPT's text is not public beyond its abstract ("joint features"); this is one reading of it.

Shapes: B batch, K query tokens, D width.
"""

from collections.abc import Sequence

from mmpose.registry import MODELS
from torch import Tensor
from torch.nn import functional as F

from .base import TRACE, DistillationLoss
from .checks import require_layers, require_same_shape, traced_layers


@MODELS.register_module()
class JointTokenLoss(DistillationLoss):
    """Mean squared error of the query tokens, summed over layers.

    Args:
        layers: 0-based layers to compare; None for all.
        loss_weight: Factor of the sum over layers of the mean over batch, joints and channels.

    Raises:
        ValueError: If the weight is negative, or the layers are no list of numbers.
    """

    reads = TRACE

    def __init__(self, layers: Sequence[int] | None = None, loss_weight: float = 1.0) -> None:
        super().__init__(loss_weight)
        self.layers = require_layers(layers)

    def distance(self, student: Sequence, teacher: Sequence) -> Tensor:
        """Loss of two traces (one :class:`~sdpose.structures.LayerTrace` per layer), a scalar.

        Raises:
            ValueError: If depth, joints or width differ.
        """
        total = student[0].query.new_zeros(())
        for layer in traced_layers(student, teacher, self.layers):
            pair = student[layer].query, teacher[layer].query
            require_same_shape(*pair, f'joint tokens behind layer {layer}')
            total = total + F.mse_loss(*pair)
        return total
