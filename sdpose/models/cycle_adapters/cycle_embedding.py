"""Tokens are told which cycle begins (LoopViT, arXiv:2602.02156).

Shapes: C cycles, D width.
"""

from collections.abc import Sequence

import torch
from mmpose.registry import MODELS
from torch import nn

from sdpose.structures import TokenSet

from .base import CycleAdapter


@MODELS.register_module()
class CycleEmbedding(CycleAdapter):
    """Adds a learned vector to all tokens before each cycle from the second on; it starts from zero.

    Its arguments are those of :class:`CycleAdapter`.
    """

    def __init__(self, layers: Sequence[nn.Module], num_cycles: int) -> None:
        super().__init__(layers, num_cycles)
        self.embedding = nn.Parameter(torch.zeros(self.later, self.dim))  # (C - 1, D)

    def enter(self, tokens: TokenSet, start: TokenSet, cycle: int) -> TokenSet:
        """The tokens and the vector of the cycle."""
        return tokens._replace(sequence=tokens.sequence + self.embedding[cycle - 2])
