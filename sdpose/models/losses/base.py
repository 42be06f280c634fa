"""What a loss between a student and a teacher says of itself."""

from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor, nn

from .checks import require_weight

# What a term may compare, by its name in a config: see sdpose/models/distillers/values.py.
TOKENS = ('query', 'visual', 'visual_content')
MAPS = ('backbone', 'backbone0', 'backbone1', 'backbone2', 'backbone3', 'deconv')
PREDICTION = ('prediction',)
TRACE = ('trace',)
ALL = TOKENS + MAPS + PREDICTION + TRACE


class DistillationLoss(nn.Module, ABC):
    """A term between a value of the student and one of the teacher: a subclass writes :meth:`distance`.

    Args:
        loss_weight: Factor of the distance.

    Attributes:
        reads: Names of the values that it can compare.
        needs_weight: Whether :meth:`distance` gets the keypoint weights (B, K) of the batch as a third argument.

    Raises:
        ValueError: If the weight is negative, infinite, or no number, or ``reads`` names something else.
    """

    reads: tuple[str, ...] = TOKENS + MAPS + PREDICTION
    needs_weight = False

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        if not set(self.reads) <= set(ALL):  # of a plain text every part of the name would do
            raise ValueError(
                f'{type(self).__name__}.reads must be a tuple of values that a term can compare ({", ".join(ALL)}), '
                f'not {self.reads!r}'
            )
        self.loss_weight = require_weight(loss_weight)

    def check_head(self, head: Any) -> None:  # noqa: B027  # most losses take what their shapes allow
        """Refuse a head whose predictions the loss cannot compare; called when the model is built.

        Args:
            head: The student's head.

        Raises:
            ValueError: If so.
        """

    def forward(self, *values: Any) -> Tensor:
        """``loss_weight`` times the distance of the student's value and the teacher's, a scalar."""
        return self.loss_weight * self.distance(*values)

    @abstractmethod
    def distance(self, *values: Any) -> Tensor:
        """The distance, a scalar that is zero at equality.

        Args:
            *values: The student's value, the teacher's, and, where ``needs_weight`` says so, the keypoint weights.

        Raises:
            ValueError: If the values cannot be compared.
        """
