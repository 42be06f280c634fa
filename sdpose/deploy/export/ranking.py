"""Pruning without top-k and gather, for runtimes that know neither: ranks by comparison, selection by a product.

Shapes: B batch, P visual tokens before and n after, D width.
"""

import copy
import math
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from sdpose.errors import ConfigError
from sdpose.models.pruners import FusingPruner, TokenPruner
from sdpose.structures import Attended, TokenSet

# Four of it, with a clamp behind each, make 1 of a difference of 1e-19, and none overflows in float16, as 1e30 would.
_STEEP, _STEPS = 6e4, 4
BF16_TOKENS = 256  # up to it, every rank is a number of bfloat16

_Module = TypeVar('_Module', bound=nn.Module)


def steep_sign(value: Tensor) -> Tensor:
    """1, 0 or -1, without a comparison."""
    for _ in range(_STEPS):
        value = (value * _STEEP).clamp(-1, 1)
    return value


def ranks(score: Tensor) -> Tensor:
    """How many scores stand before each of (B, P): the larger ones, and of equal ones those of lower index."""
    count = score.shape[1]
    apart = steep_sign(score[:, None, :] - score[:, :, None])  # (B, P, P): whether the column has more than the row
    # Without it equal scores, which are common in bfloat16, get equal ranks: one token twice, another never.
    earlier = torch.ones(count, count, dtype=score.dtype, device=score.device).tril(-1)
    return (apart + earlier).clamp(0, 1).sum(dim=-1)


def selection(score: Tensor, count: int) -> Tensor:
    """The matrix (B, n, P) that leaves the tokens of the highest scores (B, P), the highest first."""
    place = torch.arange(count, dtype=score.dtype, device=score.device)[None, :, None]
    return (1 - (ranks(score)[:, None, :] - place).abs()).clamp(0, 1)


def fusion(score: Tensor, count: int, num_queries: int) -> Tensor:
    """As :func:`selection`, with the sum of what it drops, weighted by the scores, as the last of the n tokens."""
    rest = (ranks(score) - (count - 2)).clamp(0, 1) * score / num_queries  # (B, P)
    return torch.cat([selection(score, count - 1), rest[:, None, :]], dim=1)


class RankedPruner(nn.Module):
    """A :class:`TokenPruner` or :class:`FusingPruner` in eval mode, with the same tokens in the same order.

    Args:
        pruner: The pruner.
        most_tokens: More visual tokens than these are refused; None for no limit.
    """

    def __init__(self, pruner: TokenPruner, most_tokens: int | None = None) -> None:
        super().__init__()
        self.pruner, self.most_tokens = pruner, most_tokens

    def applies(self, layer: int, cycle: int) -> bool:
        """As :meth:`BasePruner.applies`."""
        return self.pruner.applies(layer, cycle)

    def num_rows(self, tokens: TokenSet) -> int:
        """As :meth:`BasePruner.num_rows`."""
        return self.pruner.num_rows(tokens)

    def forward(self, tokens: TokenSet, attended: Attended, scores: None = None) -> TokenSet:
        """Prune, as :meth:`BasePruner.forward`; which patches stay is not recorded.

        Args:
            tokens: As there.
            attended: As there.
            scores: None, as a neck that is not this project's own calls it in a prediction.

        Raises:
            ConfigError: If there are too many visual tokens for exact ranks.
        """
        present, queries = tokens.visual.shape[1], tokens.num_queries
        if self.most_tokens is not None and present > self.most_tokens:
            raise ConfigError(
                f'--precision bf16: ncnn prunes by ranks, which bf16 holds exactly up to {self.most_tokens} tokens, '
                f'and this model has {present}; choose --precision fp32, or --format openvino'
            )
        score = self.pruner.score(tokens, attended)  # (B, P)
        count = math.ceil(self.pruner.ratio * present)
        fuses = isinstance(self.pruner, FusingPruner) and count < present
        matrix = fusion(score, count, queries) if fuses else selection(score, count)  # (B, n, P)

        def reduced(sequence: Tensor) -> Tensor:
            return torch.cat([sequence[:, :queries], matrix @ sequence[:, queries:]], dim=1)  # (B, K + n, D)

        position = tokens.position
        if position is not None:
            if len(position) < len(matrix):
                position = position.expand(len(matrix), -1, -1)  # (1, K + P, D) -> (B, K + P, D)
            position = reduced(position)
        return tokens._replace(sequence=reduced(tokens.sequence), position=position)


def ranked(graph: _Module, most_tokens: int | None = None) -> _Module:
    """A copy of a graph whose pruners rank; itself if there is none. A pruner of a user's own is left as it is.

    Args:
        graph: What is exported.
        most_tokens: As for :class:`RankedPruner`.
    """
    known = (TokenPruner, FusingPruner)
    if not any(type(part) in known for part in graph.modules()):
        return graph
    graph = copy.deepcopy(graph)
    for part in [*graph.modules()]:
        holder: Any = part
        if type(getattr(holder, 'pruner', None)) in known and not isinstance(holder, RankedPruner):
            holder.pruner = RankedPruner(holder.pruner, most_tokens)
    return graph
