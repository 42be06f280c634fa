"""Checks that the losses between a student and a teacher share."""

import math
from collections.abc import Sequence
from numbers import Real
from typing import Any

from torch import Tensor


def require_weight(loss_weight: float) -> float:
    """``loss_weight`` itself.

    Raises:
        ValueError: If it is negative, infinite, or no number.
    """
    if not isinstance(loss_weight, Real) or not math.isfinite(loss_weight):  # NaN in the first step, blamed on the loss
        raise ValueError(f'loss_weight must be a finite number, got {loss_weight!r}')
    if loss_weight < 0:  # the term would be driven apart
        raise ValueError(f'loss_weight must not be negative, got {loss_weight}')
    return loss_weight


def require_layers(layers: Sequence[int] | None) -> tuple[int, ...] | None:
    """The 0-based layers that a loss compares, as a tuple; None, for all, as it is.

    Raises:
        ValueError: If they are no list of different numbers from 0 on, or there is none.
    """
    if layers is None:
        return None
    numbers = tuple(layers) if isinstance(layers, Sequence) else ()
    if not numbers or len(set(numbers)) < len(numbers) or any(type(n) is not int or n < 0 for n in numbers):
        raise ValueError(
            'layers must be a list of different layers, counted from 0, or None for all of them (to leave '
            f'the term out, set it to None), got {layers!r}'
        )
    return numbers


def require_same_shape(student: Tensor, teacher: Tensor, what: str) -> None:
    """Refuse values of two shapes: broadcasting would give a number that means nothing.

    Raises:
        ValueError: Naming both shapes.
    """
    if _shape(student) != _shape(teacher) or not isinstance(student, Tensor):  # broadcasting is silent
        raise ValueError(
            f'{what} of student and teacher must have one shape, got {_shape(student)} and {_shape(teacher)}'
        )


def require_heatmaps(head: Any, loss: Any) -> None:
    """Refuse a head that predicts no heatmaps, for a loss that compares them.

    Raises:
        ValueError: Naming the loss and the head.
    """
    if not hasattr(getattr(head, 'decoder', None), 'heatmap_size'):
        raise ValueError(
            f'{type(loss).__name__} compares heatmaps, which {type(head).__name__} does not predict: take SimCCKLLoss '
            "for SimCC's vectors, LaplaceKLLoss for places with their scales, ClassKLLoss for classes"
        )


def require_same_size(student: Tensor, teacher: Tensor, what: str) -> None:
    """Refuse maps (B, C, H, W) of another batch, height or width; their channels may differ.

    Raises:
        ValueError: Naming both shapes.
    """
    ours, theirs = _shape(student), _shape(teacher)
    if len(ours) != 4 or len(theirs) != 4 or (ours[0], *ours[2:]) != (theirs[0], *theirs[2:]):
        raise ValueError(
            f'{what} of student and teacher must be maps (B, C, H, W) of one size, got {ours} and {theirs}'
        )


def _shape(value: Any) -> Sequence:
    """The shape of a tensor, and of anything else, such as the two vectors of SimCC, what it is."""
    return tuple(value.shape) if isinstance(value, Tensor) else f'a {type(value).__name__}'


def traced_layers(student: Sequence, teacher: Sequence, layers: Sequence[int] | None) -> Sequence[int]:
    """The 0-based layers to compare of two traces, all of them if ``layers`` is None.

    Raises:
        ValueError: If the two have other depths, or a layer is not there.
    """
    if len(student) != len(teacher):
        raise ValueError(f'student and teacher must have one depth, got {len(student)} and {len(teacher)} layers')
    if layers is None:
        return range(len(student))
    absent = [layer for layer in layers if not 0 <= layer < len(student)]
    if absent:  # a negative one would count from the end
        raise ValueError(f'layers={tuple(layers)} names {absent}, but there are {len(student)} layers, counted from 0')
    return layers
