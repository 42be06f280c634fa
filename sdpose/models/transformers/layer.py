"""One pre-norm transformer layer in two halves, so that tokens can be pruned between them (TokenPose, PPT).

Shapes: B batch, T tokens, D width, h heads, R leading tokens whose attention is asked for.
"""

from mmcv.cnn.bricks import DropPath
from mmpose.registry import MODELS
from torch import Tensor, nn

from sdpose.structures import Attended

from .linear import FastLinear
from .recompute import linear_of


class TransformerLayer(nn.Module):
    """Pre-norm attention and feed-forward, each with its residual: ``feed(attend(x))`` is one layer.

    Args:
        dim: Width D of a token.
        num_heads: Number of attention heads.
        mlp_ratio: Hidden width of the feed-forward half, as a multiple of ``dim``.
        qkv_bias: See :class:`SelfAttention`.
        attention_scale: See :class:`SelfAttention`.
        norm_eps: Added to the variance by both norms.
        drop_path: Probability that a sample skips a half in training (stochastic depth); 0 costs nothing.
        attention: Config of the attention, built with ``dim``, ``num_heads``, ``qkv_bias`` and ``scale``; None for
            :class:`SelfAttention`.

    Attributes:
        recompute: Whether the outputs of norms and activation are computed again in the backward pass, instead of kept
            (:func:`sdpose.models.transformers.recompute.linear_of`).

    Raises:
        ValueError: If ``drop_path`` is not in [0, 1).
    """

    def __init__(
        self,
        dim: int,
        num_heads: int,
        mlp_ratio: float = 3,
        qkv_bias: bool = False,
        attention_scale: float | None = None,
        norm_eps: float = 1e-5,
        drop_path: float = 0.0,
        attention: dict | None = None,
    ) -> None:
        super().__init__()
        if not 0 <= drop_path < 1:  # 1 divides by zero
            raise ValueError(f'drop_path must lie in [0, 1), got {drop_path}')
        self.recompute = True
        hidden = int(dim * mlp_ratio)
        self.norm1 = nn.LayerNorm(dim, eps=norm_eps)
        sizes = dict(dim=dim, num_heads=num_heads, qkv_bias=qkv_bias, scale=attention_scale)
        if given := sizes.keys() & (attention or {}).keys():  # they would be replaced
            raise ValueError(
                f'model.neck.attention sets {", ".join(sorted(given))}, which it gets from the neck: dim, num_heads, '
                'qkv_bias and attention_scale are keys of model.neck'
            )
        self.attn = MODELS.build({'type': 'SelfAttention', **(attention or {}), **sizes})
        self.norm2 = nn.LayerNorm(dim, eps=norm_eps)
        self.ffn = nn.Sequential(FastLinear(dim, hidden), nn.GELU(), FastLinear(hidden, dim))
        self.drop_path = DropPath(drop_path) if drop_path else nn.Identity()

    def attend(self, x: Tensor, num_rows: int = 0) -> tuple[Tensor, Attended]:
        """The attention half: tokens (B, T, D) and what was computed, with the weights of ``num_rows`` tokens."""
        attended = linear_of(self.norm1, x, lambda normed: self.attn(normed, num_rows), self.recompute)
        return x + self.drop_path(attended.update), attended

    def feed(self, x: Tensor) -> Tensor:
        """The feed-forward half, (B, T, D)."""
        widen, activate, narrow = self.ffn
        hidden = linear_of(self.norm2, x, widen, self.recompute)  # (B, T, mlp_ratio * D)
        return x + self.drop_path(linear_of(activate, hidden, narrow, self.recompute))
