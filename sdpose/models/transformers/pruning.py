"""Pruning visual tokens that no keypoint attends to (PPT, section 3.2; SDPose, Table 8).

Shapes: B batch, h heads, K query tokens, P visual tokens before and n after, T = K + P tokens, D width.
"""

import math
from collections.abc import Sequence

import torch
from mmpose.registry import MODELS
from torch import Tensor, nn

from sdpose.structures import TokenSet


@MODELS.register_module()
class TokenPruner(nn.Module):
    """Keeps the visual tokens that the query tokens attend to most.

    It sits between the two halves of a layer, reads that layer's attention rows of the query tokens alone, and owns no
    parameter. How many tokens stay depends on sizes only, so the model compiles and exports. The choice carries no
    gradient.

    Args:
        keep_ratio: share of the visual tokens that stay at each pruning, rounded up; 1 switches pruning off.
        layers: 0-based indices of the layers that prune.
        cycles: 1-based cycles that prune; None for all. SDPose with PPT prunes in cycle 1, the later cycles run on
            what is left.

    Raises:
        ValueError: if a value is out of range.
    """

    def __init__(
        self, keep_ratio: float = 0.7, layers: Sequence[int] = (3, 6, 9), cycles: Sequence[int] | None = None
    ) -> None:
        super().__init__()
        if not 0 < keep_ratio <= 1:
            raise ValueError(f'keep_ratio must lie in (0, 1], got {keep_ratio}')
        if not layers or cycles is not None and not cycles:
            raise ValueError(
                f'layers={tuple(layers)}, cycles={cycles}: nothing would be pruned; for a model without '
                'pruning leave the pruner out (None)'
            )
        if any(layer < 0 for layer in layers) or any(cycle < 1 for cycle in cycles or ()):
            raise ValueError(f'layers count from 0 and cycles from 1, got layers={tuple(layers)} and cycles={cycles}')
        self.keep_ratio = keep_ratio
        self.layers = tuple(layers)
        self.cycles = None if cycles is None else tuple(cycles)
        self.training_keep_ratio = keep_ratio  # annealed by KeepRatioHook; eval mode never reads it
        # For one training step, by a distiller: a score of every patch of the full grid, (B, P), for each layer.
        self.guide: Sequence[Tensor] | None = None

    def applies(self, layer: int, cycle: int) -> bool:
        """Whether this layer (from 0) of this cycle (from 1) prunes."""
        return self.ratio < 1 and layer in self.layers and (self.cycles is None or cycle in self.cycles)

    @property
    def ratio(self) -> float:
        """The keep ratio in force."""
        return self.training_keep_ratio if self.training else self.keep_ratio

    @staticmethod
    def score(rows: Tensor, count: int) -> Tensor:
        """How much ``count`` query tokens attend to each visual token, (B, P), from rows (B, h, K, K + P)."""
        return rows[..., count:].mean(dim=1).sum(dim=1).detach()

    def forward(self, tokens: TokenSet, rows: Tensor, layer: int = 0) -> TokenSet:
        """Drop the least attended visual tokens.

        Args:
            tokens: the tokens after the attention half.
            rows: softmax attention of the query tokens in this layer, (B, h, K, T).
            layer: its 0-based index, which only a guide asks for.

        Returns:
            The query tokens and the kept visual tokens, most attended first, with their position code and their
            indices in the full patch grid.
        """
        count = tokens.num_queries
        score = self.score(rows, count) if self.guide is None else self._guided(layer, tokens.kept)
        index = score.topk(math.ceil(self.ratio * score.shape[1]), dim=1).indices  # (B, n), descending
        kept = index if tokens.kept is None else tokens.kept.gather(1, index)
        position = tokens.position
        if position is not None:
            position = self._select(position.expand(index.shape[0], -1, -1), index, count)
        return tokens._replace(sequence=self._select(tokens.sequence, index, count), position=position, kept=kept)

    def _guided(self, layer: int, kept: Tensor | None) -> Tensor:
        """The guide's scores (B, P) of the visual tokens that are left."""
        return self.guide[layer] if kept is None else self.guide[layer].gather(1, kept)

    @staticmethod
    def _select(sequence: Tensor, index: Tensor, count: int) -> Tensor:
        """The first ``count`` rows and those at ``index`` behind them, (B, count + n, D)."""
        visual = sequence[:, count:].gather(1, index[..., None].expand(-1, -1, sequence.shape[-1]))
        return torch.cat([sequence[:, :count], visual], dim=1)
