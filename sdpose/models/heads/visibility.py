"""Whether each joint can be seen: one number per query token, beside what a head makes of the same token.

Shapes: B batch, K keypoints, D token width.
"""

from collections.abc import Sequence

import torch
from mmengine.dist import all_reduce, get_world_size
from torch import Tensor, nn
from torch.nn import functional as F

from sdpose.errors import ConfigError
from sdpose.io.joint_flags import UNLABELLED

from .mlp import token_mlp, upcast_half


class TokenVisibility(nn.Module):
    """Maps every keypoint token to the probability that its joint can be seen, by a norm and one linear.

    It learns the annotated flag of COCO: 2, a joint that can be seen, is 1; 1, one that is hidden but was placed all
    the same, is 0. A joint without a label (flag 0), and one outside of the crop, has no loss: nobody said whether it
    could be seen.

    Args:
        in_channels: Token width D.
        loss_weight: Of the loss, beside that of the key points. Those are small: a heatmap's is about 0.001, and the
            default lets this one count as much where it has learned what it can.

    Raises:
        ValueError: If the weight is not positive.
    """

    def __init__(self, in_channels: int, loss_weight: float = 0.005) -> None:
        super().__init__()
        if not 0 < loss_weight < float('inf'):
            raise ValueError(f'loss_weight of visibility is a number above 0, got {loss_weight}')
        self.loss_weight = loss_weight
        self.mlp = token_mlp(in_channels, 0, 1)

    def forward(self, query: Tensor) -> Tensor:
        """Logits (..., K) of query tokens (..., K, D), in float32 under mixed precision too."""
        return upcast_half(self.mlp(query)).squeeze(-1)  # (..., K, 1) -> (..., K)

    def loss(self, query: Tensor, labels: Tensor) -> Tensor:
        """Binary cross-entropy, the mean over the joints that count; 0 if none does.

        Of several processes, whose gradients are averaged, each divides by its share of all joints that count: the mean
        of their means would weigh a joint by how few others its process has.

        Args:
            query: The tokens (B, K, D).
            labels: As :func:`visibility_labels` returns them.
        """
        counts = labels != UNLABELLED
        each = F.binary_cross_entropy_with_logits(self(query), labels.clamp(min=0), reduction='none')
        number = counts.sum().float()
        all_reduce(number)  # does nothing in one process
        return self.loss_weight * (each * counts).sum() * get_world_size() / number.clamp(min=1)


def visibility_labels(data_samples: Sequence) -> Tensor:
    """Labels (B, K) of a batch: 1 for a joint that can be seen, 0 for a hidden one, -1 for one that does not count.

    Args:
        data_samples: MMPose's data samples, packed by ``PackVisibilityInputs``. A joint whose weight is 0 lies outside
            of the crop and does not count either.

    Raises:
        ConfigError: If they were packed by something else.
    """
    labels = [sample.gt_instance_labels for sample in data_samples]
    if not all('keypoint_visibility' in each for each in labels):
        raise ConfigError(
            'model.head.visibility learns the annotated flags, which the samples lack: end the training pipeline with '
            "PackVisibilityInputs (pack_step = 'PackVisibilityInputs')"
        )
    flags = torch.cat([each.keypoint_visibility for each in labels])  # (1, K) each -> (B, K)
    weights = torch.cat([each.keypoint_weights for each in labels])  # (B, K)
    return torch.where(weights > 0, flags, UNLABELLED)
