"""Each cycle sees the image again: input injection (Huginn, arXiv:2502.05171, as a gate instead of a projection).

Shapes: C cycles, D width.
"""

from collections.abc import Sequence

import torch
from mmpose.registry import MODELS
from torch import nn

from sdpose.structures import TokenSet

from .base import CycleAdapter


@MODELS.register_module()
class CycleInjection(CycleAdapter):
    """Adds the first cycle's start, times a learned gate per channel, before each cycle from the second on.

    The gate starts from zero. Where patches were pruned, the start is that of those which are left.

    Its arguments are those of :class:`CycleAdapter`.
    """

    def __init__(self, layers: Sequence[nn.Module], num_cycles: int) -> None:
        super().__init__(layers, num_cycles)
        self.gate = nn.Parameter(torch.zeros(self.later, self.dim))  # (C - 1, D)

    def enter(self, tokens: TokenSet, start: TokenSet, cycle: int) -> TokenSet:
        """The tokens and their gated start."""
        if tokens.kept is not None:
            start = start.select(tokens.kept)
        return tokens._replace(sequence=tokens.sequence + self.gate[cycle - 2] * start.sequence)
