"""Checks that the losses between a student and a teacher share."""
from collections.abc import Sequence
from typing import Optional

from torch import Tensor


def require_weight(loss_weight: float) -> float:
    """``loss_weight`` itself.

    Raises:
        ValueError: if it is negative.
    """
    if loss_weight < 0:
        raise ValueError(f'loss_weight must not be negative, got {loss_weight}')
    return loss_weight


def require_same_shape(student: Tensor, teacher: Tensor, what: str) -> None:
    """Refuse values of two shapes: broadcasting would give a number that means nothing.

    Raises:
        ValueError: naming both shapes.
    """
    if student.shape != teacher.shape:
        raise ValueError(f'{what} of student and teacher must have one shape, got {tuple(student.shape)} '
                         f'and {tuple(teacher.shape)}')


def require_same_size(student: Tensor, teacher: Tensor, what: str) -> None:
    """Refuse maps (B, C, H, W) of another batch, height or width; their channels may differ.

    Raises:
        ValueError: naming both shapes.
    """
    if student.ndim != 4 or teacher.ndim != 4 or student[:, 0].shape != teacher[:, 0].shape:
        raise ValueError(f'{what} of student and teacher must be maps (B, C, H, W) of one size, got '
                         f'{tuple(student.shape)} and {tuple(teacher.shape)}')


def traced_layers(student: Sequence, teacher: Sequence, layers: Optional[Sequence[int]]) -> Sequence[int]:
    """The 0-based layers to compare of two traces, all of them if ``layers`` is None.

    Raises:
        ValueError: if the two have other depths, or a layer is not there.
    """
    if len(student) != len(teacher):
        raise ValueError(f'student and teacher must have one depth, got {len(student)} and {len(teacher)} layers')
    if layers is None:
        return range(len(student))
    absent = [layer for layer in layers if not 0 <= layer < len(student)]
    if absent:
        raise ValueError(f'layers={tuple(layers)} names {absent}, but there are {len(student)} layers, counted from 0')
    return layers
