"""Regressed keypoints with their sigmas against a teacher's, as distributions (self-distillation of SDPose-Reg).

Shapes: B batch, K keypoints.
"""

from typing import Any

from mmpose.registry import MODELS
from torch import Tensor

from .base import PREDICTION, DistillationLoss
from .checks import require_same_shape


@MODELS.register_module()
class LaplaceKLLoss(DistillationLoss):
    """Kullback-Leibler divergence of the student's Laplace distributions from the teacher's, per axis.

    The Laplace distribution with the predicted place m and scale b is what the likelihood (RLE) has before its flow:

        KL(teacher || student) = log(b_s / b_t) + (|m_s - m_t| + b_t exp(-|m_s - m_t| / b_t)) / b_s - 1.

    The likelihood itself is no distance: with a prediction for a target it falls without end as the two agree.

    Args:
        use_target_weight: Count only the joints that are annotated. By default the teacher's opinion counts for every
            joint.
        loss_weight: Factor of the mean over batch, joints and both axes.
    """

    reads = PREDICTION

    def __init__(self, use_target_weight: bool = False, loss_weight: float = 1.0) -> None:
        super().__init__(loss_weight)
        self.needs_weight = use_target_weight

    def check_head(self, head: Any) -> None:
        """Refuse a head whose sigmas are no scales of its coordinates.

        Raises:
            ValueError: If so.
        """
        if not getattr(getattr(head, 'mode', None), 'likelihood', False):  # pixels over fractions of the image
            raise ValueError(
                "LaplaceKLLoss needs a head that regresses a likelihood: a TokenRegHead with model.head.mode='rle', "
                f'not {type(head).__name__}'
            )

    def distance(self, student: Any, teacher: Any, weight: Tensor | None = None) -> Tensor:
        """The divergence, a scalar.

        Args:
            student: A regression with ``coords`` and ``sigma`` (B, K, 2).
            teacher: The same of the teacher.
            weight: Keypoint weights (B, K).

        Raises:
            ValueError: If the shapes differ.
        """
        require_same_shape(student.coords, teacher.coords, 'coordinates')
        ours, theirs = (each.sigma.float().clamp(min=1e-6) for each in (student, teacher))
        apart = (student.coords - teacher.coords).float().abs()  # (B, K, 2)
        spread = apart + theirs * (-apart / theirs).exp()
        value = (ours / theirs).log() + spread / ours - 1
        return (value if weight is None else value * weight[..., None]).mean()
