"""What every pruner shares: where and when it prunes, how much, and how tokens are selected.

Shapes: B batch, K query tokens, P visual tokens before and n after, D width.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

from torch import Tensor, nn

from sdpose.errors import ConfigError
from sdpose.structures import Attended, TokenSet


class BasePruner(nn.Module, ABC):
    """Leaves a share of the visual tokens after the attention half of some layers.

    A method of one's own writes :meth:`score`; one that merges tokens, or keeps more than it selects, writes
    :meth:`reduce`; one that reads more than the attention of the query tokens says so by :meth:`num_rows`. How many
    tokens stay depends on sizes only, so that the model compiles and exports.

    Args:
        keep_ratio: Share of the visual tokens that stay at each pruning, rounded up; 1 switches pruning off.
        layers: 0-based indices of the layers that prune.
        cycles: 1-based cycles that prune; None for all. SDPose with PPT prunes in cycle 1, the later cycles run on
            what is left.

    Attributes:
        training_keep_ratio: The keep ratio in training mode, which ``KeepRatioHook`` anneals.
        num_fused: How many of the last tokens that :meth:`reduce` leaves stand for those that it drops.

    Raises:
        ValueError: If a value is out of range.
    """

    num_fused = 0

    def __init__(
        self, keep_ratio: float = 0.7, layers: Sequence[int] = (3, 6, 9), cycles: Sequence[int] | None = None
    ) -> None:
        super().__init__()
        if not 0 < keep_ratio <= 1:  # 0 keeps nothing, 2 fails in the first step
            raise ValueError(f'keep_ratio must lie in (0, 1], got {keep_ratio}')
        if not layers or cycles is not None and not cycles:  # it would stay idle without a word
            raise ValueError(
                f'layers={tuple(layers)}, cycles={cycles}: nothing would be pruned; for a model without '
                'pruning leave the pruner out (None)'
            )
        if any(layer < 0 for layer in layers) or any(cycle < 1 for cycle in cycles or ()):  # none would ever match
            raise ValueError(f'layers count from 0 and cycles from 1, got layers={tuple(layers)} and cycles={cycles}')
        self.keep_ratio = keep_ratio
        self.layers = tuple(layers)
        self.cycles = None if cycles is None else tuple(cycles)
        self.training_keep_ratio = keep_ratio

    def require_use(self, depth: int, num_cycles: int) -> None:
        """Refuse a schedule that would stay idle without a word.

        Raises:
            ValueError: If none of its layers, or of its cycles, is there.
        """
        if min(self.layers) >= depth:
            raise ValueError(f'pruner.layers={self.layers}: none of them is there, the {depth} layers count from 0')
        if self.cycles is not None and min(self.cycles) > num_cycles:
            raise ValueError(
                f'pruner.cycles={self.cycles}: none of them is there, num_cycles is {num_cycles} and they count from 1'
            )

    @property
    def ratio(self) -> float:
        """The keep ratio in force."""
        return self.training_keep_ratio if self.training else self.keep_ratio

    def applies(self, layer: int, cycle: int) -> bool:
        """Whether this layer (from 0) of this cycle (from 1) prunes."""
        return self.ratio < 1 and layer in self.layers and self.prunes_in(cycle)

    def prunes_in(self, cycle: int) -> bool:
        """Whether a cycle, from 1, has layers that prune, whatever the keep ratio in force."""
        return self.cycles is None or cycle in self.cycles

    def num_rows(self, tokens: TokenSet) -> int:
        """Of how many leading tokens the softmax weights are read: the query tokens', unless a method needs others."""
        return tokens.num_queries

    def forward(self, tokens: TokenSet, attended: Attended, scores: Tensor | None = None) -> TokenSet:
        """Prune.

        Args:
            tokens: The tokens behind the attention half.
            attended: What that half computed, with the weights of at least ``num_rows`` tokens.
            scores: Of every patch of the full grid, (B, full P), in place of the pruner's own :meth:`score`.

        Returns:
            The query tokens and what :meth:`reduce` leaves of the others.

        Raises:
            ConfigError: If a method of the pruner's own returns another number of scores or of tokens.
        """
        present = tokens.visual.shape[1]
        if scores is None:
            score = self.score(tokens, attended).detach()
            if score.shape[1:] != (present,):  # one per token of any kind selects tokens that are not meant
                raise ConfigError(
                    f'{type(self).__name__}.score returned {tuple(score.shape)}, expected one number per image and '
                    f'visual token, (B, P) = {(len(tokens.visual), present)}'
                )
        else:
            score = scores if tokens.kept is None else scores.gather(1, tokens.kept)  # (B, P)
        count = math.ceil(self.ratio * present)
        left = self.reduce(tokens, score, count)
        if left.visual.shape[1] != count:  # nothing else would notice
            raise ConfigError(
                f'{type(self).__name__}.reduce left {left.visual.shape[1]} visual tokens behind the '
                f'{tokens.num_queries} query tokens, expected {count}'
            )
        return left

    @abstractmethod
    def score(self, tokens: TokenSet, attended: Attended) -> Tensor:
        """How much each visual token is worth keeping, (B, P); the choice carries no gradient.

        Args:
            tokens: The tokens behind the attention half.
            attended: What that half computed: its weights, and the keys of all tokens.
        """

    def reduce(self, tokens: TokenSet, score: Tensor, count: int) -> TokenSet:
        """Leave ``count`` visual tokens: those of the highest score (B, P), the highest first."""
        return tokens.select(score.topk(count, dim=1).indices)
