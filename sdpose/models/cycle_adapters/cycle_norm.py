"""Norms of their own for every cycle (the cheapest of the relaxed cycles of arXiv:2410.20672).

Shapes: C cycles, L layers, D width.
"""

from collections.abc import Sequence
from typing import Any

import torch
from mmpose.registry import MODELS
from torch import Tensor, nn

from .base import CycleAdapter, with_parts


class _Rescaled(nn.Module):
    """A norm whose output is scaled by ``1 + gain`` and shifted, both (D,)."""

    def __init__(self, norm: nn.Module, gain: Tensor, shift: Tensor) -> None:
        super().__init__()
        self.norm, self.gain, self.shift = norm, gain, shift

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x) * (1 + self.gain) + self.shift


@MODELS.register_module()
class CycleNorm(CycleAdapter):
    """Scales and shifts what both norms of each layer return, in each cycle from the second on; from 1 and 0.

    On top of the shared norm's own weights rather than in their place, so that it starts from a trained norm, too.

    Its arguments are those of :class:`CycleAdapter`.
    """

    def __init__(self, layers: Sequence[nn.Module], num_cycles: int) -> None:
        super().__init__(layers, num_cycles)
        shape = (self.later, len(layers), 2, self.dim)
        self.gain = nn.Parameter(torch.zeros(shape))  # (C - 1, L, 2, D)
        self.shift = nn.Parameter(torch.zeros(shape))  # (C - 1, L, 2, D)

    def layer(self, layer: Any, index: int, cycle: int) -> Any:
        """The layer with its two norms rescaled."""
        gain, shift = self.gain[cycle - 2, index], self.shift[cycle - 2, index]  # (2, D) each
        norms = dict(norm1=_Rescaled(layer.norm1, gain[0], shift[0]), norm2=_Rescaled(layer.norm2, gain[1], shift[1]))
        return with_parts(layer, **norms)
