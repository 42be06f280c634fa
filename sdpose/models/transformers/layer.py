"""One pre-norm transformer layer in two halves, so that tokens can be pruned between them (TokenPose, PPT).

Shapes: B batch, T tokens, D width, h heads, d = D / h.
"""

import torch
from mmcv.cnn.bricks import DropPath
from torch import Tensor, nn
from torch.nn import functional as F


class SelfAttention(nn.Module):
    """Multi-head self-attention.

    Args:
        dim: width D of a token.
        num_heads: number of heads; must divide ``dim``.
        qkv_bias: whether the query/key/value projection has a bias.
        scale: factor of the scores; ``None`` is ``(dim / num_heads) ** -0.5``. TokenPose's own S models were trained
            with ``dim ** -0.5``, the SDPose release with the default.

    Raises:
        ValueError: if ``num_heads`` does not divide ``dim``.
    """

    def __init__(self, dim: int, num_heads: int, qkv_bias: bool = False, scale: float | None = None) -> None:
        super().__init__()
        if num_heads < 1 or dim % num_heads:
            raise ValueError(f'num_heads={num_heads} must divide dim={dim}')
        self.num_heads = num_heads
        self.scale = (dim // num_heads) ** -0.5 if scale is None else scale
        self.qkv = nn.Linear(dim, 3 * dim, bias=qkv_bias)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor, map_rows: int = 0) -> tuple[Tensor, Tensor | None]:
        """Attend over all tokens (B, T, D).

        Args:
            x: the tokens.
            map_rows: for how many leading tokens the softmax map is returned. The fused kernel never forms the map,
                so these rows are computed openly and the others fused: nothing is computed twice.

        Returns:
            The attended tokens (B, T, D), and the map (B, h, map_rows, T), or None if ``map_rows`` is 0.
        """
        batch, length, dim = x.shape
        qkv = self.qkv(x).view(batch, length, 3, self.num_heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)  # each (B, h, T, d)
        attention, parts = None, []
        if map_rows:
            attention = (q[:, :, :map_rows] @ k.transpose(-2, -1) * self.scale).softmax(dim=-1)
            parts.append(attention @ v)
        if map_rows < length:
            parts.append(F.scaled_dot_product_attention(q[:, :, map_rows:], k, v, scale=self.scale))
        out = parts[0] if len(parts) == 1 else torch.cat(parts, dim=2)
        return self.proj(out.transpose(1, 2).reshape(batch, length, dim)), attention


class TransformerLayer(nn.Module):
    """Pre-norm attention and feed-forward, each with its residual: ``feed(attend(x))`` is one layer.

    Args:
        dim: width D of a token.
        num_heads: number of attention heads.
        mlp_ratio: hidden width of the feed-forward half, as a multiple of ``dim``.
        qkv_bias: see :class:`SelfAttention`.
        attention_scale: see :class:`SelfAttention`.
        norm_eps: added to the variance by both norms.
        drop_path: probability that a sample skips a half in training (stochastic depth); 0 costs nothing.

    Raises:
        ValueError: if ``drop_path`` is not in [0, 1).
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
    ) -> None:
        super().__init__()
        if not 0 <= drop_path < 1:
            raise ValueError(f'drop_path must lie in [0, 1), got {drop_path}')
        hidden = int(dim * mlp_ratio)
        self.norm1 = nn.LayerNorm(dim, eps=norm_eps)
        self.attn = SelfAttention(dim, num_heads, qkv_bias, attention_scale)
        self.norm2 = nn.LayerNorm(dim, eps=norm_eps)
        self.ffn = nn.Sequential(nn.Linear(dim, hidden), nn.GELU(), nn.Linear(hidden, dim))
        self.drop_path = DropPath(drop_path) if drop_path else nn.Identity()

    def attend(self, x: Tensor, map_rows: int = 0) -> tuple[Tensor, Tensor | None]:
        """The attention half: tokens (B, T, D) and, for the first ``map_rows`` tokens, their attention map."""
        update, attention = self.attn(self.norm1(x), map_rows)
        return x + self.drop_path(update), attention

    def feed(self, x: Tensor) -> Tensor:
        """The feed-forward half, (B, T, D)."""
        return x + self.drop_path(self.ffn(self.norm2(x)))
