"""The vectors of SimCC against a teacher's, as distributions over columns and rows.

Shapes: B batch, K keypoints, X and Y cells along the width and the height of the image.
"""

import math
from typing import Any

from mmpose.models.losses import KLDiscretLoss
from mmpose.registry import MODELS
from torch import Tensor

from .base import PREDICTION, DistillationLoss
from .checks import require_same_shape

Vectors = tuple[Tensor, Tensor]  # (B, K, X) and (B, K, Y)


@MODELS.register_module()
class SimCCKLLoss(DistillationLoss):
    """``KL(softmax(beta * teacher) || softmax(beta * student))`` of each axis, by MMPose's ``KLDiscretLoss``.

    As in the head's own loss (RTMPose's, of the same ``beta`` by default) the mean over an axis's cells counts, so that
    the two losses can be traded for each other.

    Args:
        beta: Sharpness, the factor of a vector (whose peak is about 1) before its softmax: one over a temperature.
        use_target_weight: Count only the joints that are annotated. By default the teacher's opinion counts for every
            joint.
        loss_weight: Factor of the mean over batch and joints, both axes summed.

    Raises:
        ValueError: If ``beta`` is not positive.
    """

    reads = PREDICTION

    def __init__(self, beta: float = 10.0, use_target_weight: bool = False, loss_weight: float = 1.0) -> None:
        super().__init__(loss_weight)
        if not 0 < beta < math.inf:  # 0 sees no difference, a negative one takes the lowest cell
            raise ValueError(f'beta must be positive, and finite, got {beta}')
        self.needs_weight = use_target_weight
        self.divergence = KLDiscretLoss(
            beta=beta, label_beta=beta, label_softmax=True, use_target_weight=use_target_weight
        )

    def check_head(self, head: Any) -> None:
        """Refuse a head that predicts no vectors.

        Raises:
            ValueError: If so.
        """
        if not hasattr(getattr(head, 'decoder', None), 'simcc_split_ratio'):
            raise ValueError(
                'SimCCKLLoss compares vectors over columns and rows (a TokenSimCCHead), which '
                f'{type(head).__name__} does not predict'
            )

    def distance(self, student: Vectors, teacher: Vectors, weight: Tensor | None = None) -> Tensor:
        """The divergence of vectors (B, K, X) and (B, K, Y) with keypoint weights (B, K), a scalar.

        Raises:
            ValueError: If the shapes differ.
        """
        for one, other in zip(student, teacher, strict=True):
            require_same_shape(one, other, 'vectors')
        # In half precision a logarithm lies up to a 256th of itself away.
        ours, theirs = (tuple(each.float() for each in pair) for pair in (student, teacher))
        return self.divergence(ours, theirs, weight) / len(ours[0])
