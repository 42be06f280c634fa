"""Checks that the losses between a student and a teacher share."""
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
