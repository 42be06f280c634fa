"""Where the student's features are strong, against where the teacher's are (IKD's feature term, mode B, a proposal).

Activation-based attention transfer (Zagoruyko and Komodakis 2017, eq. 2, with squares); IKD cites it, its own formula
is not public.

Shapes: B batch, C channels, H and W the size of the maps.
"""

from mmpose.registry import MODELS
from torch import Tensor
from torch.nn import functional as F

from .base import DistillationLoss
from .checks import require_same_size


@MODELS.register_module()
class AttentionTransferLoss(DistillationLoss):
    """Squared distance of the normalized attention maps; it has no parameter, and channels may differ.

    Args:
        loss_weight: Factor of the mean over the batch, which lies between 0 and 2.
    """

    @staticmethod
    def attention(feature: Tensor) -> Tensor:
        """Energy of every position of a map (B, C, H, W), as unit vectors (B, H * W)."""
        # The square of a feature above 255 is infinite in half precision.
        energy = feature.float().square().sum(dim=1).flatten(1)  # (B, C, H, W) -> (B, H * W)
        return F.normalize(energy, dim=1)

    def distance(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Loss of maps (B, C, H, W), a scalar.

        Raises:
            ValueError: If their sizes differ.
        """
        require_same_size(student, teacher, 'feature maps')
        difference = self.attention(student) - self.attention(teacher)
        return difference.square().sum(dim=1).mean()
