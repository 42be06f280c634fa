"""Pruning that fuses what it drops into one token (EViT, Liang et al., ICLR 2022, section 3.2 and eq. 4).

Shapes: B batch, K query tokens, P visual tokens before and n after, D width.
"""

import torch
from mmpose.registry import MODELS
from torch import Tensor

from sdpose.structures import TokenSet

from .token_pruner import TokenPruner


@MODELS.register_module()
class FusingPruner(TokenPruner):
    """Keeps the most attended visual tokens and, as the last, the sum of the others weighted by their attention.

    EViT weights by the attention of a class token, here it is the mean of the query tokens'; no gradient passes the
    weights. The fused token stands in the count: of n tokens that stay, n - 1 are patches. Its position embedding is
    the same sum, and among the kept patches it goes by the strongest of those that were fused.

    Its arguments are those of :class:`BasePruner`.
    """

    num_fused = 1

    def reduce(self, tokens: TokenSet, score: Tensor, count: int) -> TokenSet:
        """``count - 1`` visual tokens, those of the highest score (B, P) first, and one for the rest."""
        if count == score.shape[1]:  # nothing is dropped, so there is nothing to fuse
            return super().reduce(tokens, score, count)
        order = score.argsort(dim=1, descending=True)  # (B, P)
        kept, rest = tokens.select(order[:, :count]), tokens.select(order[:, count - 1 :])  # both have the strongest
        weights = score.gather(1, order[:, count - 1 :])[..., None] / tokens.num_queries  # (B, P - n + 1, 1)
        position = kept.position
        if position is not None and rest.position is not None:
            position = _last_replaced(position, weights * rest.position[:, tokens.num_queries :])
        return kept._replace(sequence=_last_replaced(kept.sequence, weights * rest.visual), position=position)


def _last_replaced(sequence: Tensor, parts: Tensor) -> Tensor:
    """A sequence (B, T, D) with the sum of parts (B, m, D) in place of its last token."""
    return torch.cat([sequence[:, :-1], parts.sum(dim=1, keepdim=True)], dim=1)
