"""Pruning visual tokens that no keypoint attends to (PPT, section 3.2; SDPose, Table 8).

Shapes: B batch, h heads, K query tokens, P visual tokens.
"""

from mmpose.registry import MODELS
from torch import Tensor

from sdpose.structures import Attended, TokenSet

from .base import BasePruner


def joint_attention(weights: Tensor, num_queries: int) -> Tensor:
    """How much the query tokens attend to each visual token, the mean over heads and the sum over them, (B, P).

    Args:
        weights: Softmax weights whose leading rows are those of the query tokens, (B, h, >= K, K + P).
        num_queries: K.
    """
    return weights[:, :, :num_queries, num_queries:].mean(dim=1).sum(dim=1)  # (B, h, K, P) -> (B, P)


@MODELS.register_module()
class TokenPruner(BasePruner):
    """Keeps the visual tokens that the query tokens attend to most; it owns no parameter.

    Its arguments are those of :class:`BasePruner`.
    """

    def score(self, tokens: TokenSet, attended: Attended) -> Tensor:
        """:func:`joint_attention` in the layer that prunes, (B, P)."""
        assert attended.weights is not None  # those of num_rows tokens
        return joint_attention(attended.weights, tokens.num_queries)
