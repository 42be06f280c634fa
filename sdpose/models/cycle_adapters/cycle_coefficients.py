"""Learned weights of both branches of each residual, for every cycle (SReT, ECCV 2022).

Shapes: C cycles, L layers, B batch, T tokens, D width.
"""

from collections.abc import Sequence
from typing import Any

import torch
from mmpose.registry import MODELS
from torch import Tensor, nn

from .base import CycleAdapter, with_parts


class _Weighted:
    """Mixed into a layer: a half that returned ``y = x + F(x)`` returns ``a x + b F(x) = (a - b) x + b y``."""

    def attend(self, x: Tensor, num_rows: int = 0) -> tuple[Tensor, Any]:
        y, attended = super().attend(x, num_rows)  # type: ignore[misc]  # the layer's
        return self._weighted(x, y, 0), attended

    def feed(self, x: Tensor) -> Tensor:
        return self._weighted(x, super().feed(x), 1)  # type: ignore[misc]

    def _weighted(self: Any, x: Tensor, y: Tensor, half: int) -> Tensor:
        a, b = self.coefficients[half]
        return (a - b) * x + b * y


_KINDS: dict[type, type] = {}  # by the layer's class, so that one is made of each


@MODELS.register_module()
class CycleCoefficients(CycleAdapter):
    """``a x + b F(x)`` in place of ``x + F(x)`` in both halves of each layer, in each cycle from the second on; from 1.

    Its arguments are those of :class:`CycleAdapter`.
    """

    def __init__(self, layers: Sequence[nn.Module], num_cycles: int) -> None:
        super().__init__(layers, num_cycles)
        self.coefficients = nn.Parameter(torch.ones(self.later, len(layers), 2, 2))  # (C - 1, L, halves, a and b)

    def layer(self, layer: Any, index: int, cycle: int) -> Any:
        """The layer with weighted halves."""
        changed = with_parts(layer)
        kind = type(layer)
        changed.__class__ = _KINDS.setdefault(kind, type(f'Weighted{kind.__name__}', (_Weighted, kind), {}))
        changed.coefficients = self.coefficients[cycle - 2, index]
        return changed
