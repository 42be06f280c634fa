"""Multi-head self-attention: project, compute, project; another kernel replaces the middle alone.

Shapes: B batch, T tokens, D width, h heads, d = D / h, R leading tokens whose weights are asked for.
"""

from typing import Any

import torch
from mmpose.registry import MODELS
from torch import Tensor, nn

from sdpose.errors import ConfigError
from sdpose.structures import Attended

from .cpu_attention import attend
from .linear import FastLinear


@MODELS.register_module()
class SelfAttention(nn.Module):
    """Multi-head self-attention.

    Args:
        dim: Width D of a token.
        num_heads: Number of heads; must divide ``dim``.
        qkv_bias: Whether the query/key/value projection has a bias.
        scale: Factor of the scores; ``None`` is ``(dim / num_heads) ** -0.5``. TokenPose's own S models were trained
            with ``dim ** -0.5``, the SDPose release with the default.

    Raises:
        ValueError: If ``num_heads`` does not divide ``dim``.
    """

    def __init__(self, dim: int, num_heads: int, qkv_bias: bool = False, scale: float | None = None) -> None:
        super().__init__()
        if num_heads < 1 or dim % num_heads:  # a view would fail without naming either
            raise ValueError(f'num_heads={num_heads} must divide dim={dim}')
        self.num_heads = num_heads
        self.scale = (dim // num_heads) ** -0.5 if scale is None else scale
        self.qkv = FastLinear(dim, 3 * dim, bias=qkv_bias)
        self.proj = FastLinear(dim, dim)

    def forward(self, x: Tensor, num_rows: int = 0) -> Attended:
        """Attend over all tokens (B, T, D); ``num_rows`` as for :meth:`compute`."""
        batch, length, dim = x.shape
        qkv = self.qkv(x).view(batch, length, 3, self.num_heads, -1)  # (B, T, 3, h, d)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)  # each (B, h, T, d)
        out, weights = self._checked(self.compute(q, k, v, num_rows), tuple(q.shape), num_rows)
        merged = out.transpose(1, 2).reshape(batch, length, dim)  # (B, h, T, d) -> (B, T, h * d)
        return Attended(self.proj(merged), weights, k)

    def compute(self, q: Tensor, k: Tensor, v: Tensor, num_rows: int) -> tuple[Tensor, Tensor | None]:
        """The kernel: ``softmax(scale * q k^T) v``. A class with another one overrides this method alone.

        Args:
            q: Queries, (B, h, T, d).
            k: Keys, (B, h, T, d).
            v: Values, (B, h, T, d).
            num_rows: For how many leading tokens R the weights are returned, which pruners and traces read. The fused
                kernel never forms them, so these rows are computed openly and the others fused: nothing is computed
                twice.

        Returns:
            What was read, (B, h, T, d), and the weights (B, h, R, T), or None if ``num_rows`` is 0.
        """
        weights, parts = None, []
        if num_rows:
            weights = (q[:, :, :num_rows] @ k.transpose(-2, -1) * self.scale).softmax(dim=-1)  # (B, h, R, T)
            parts.append(weights @ v)
        if num_rows < q.shape[2]:
            parts.append(attend(q[:, :, num_rows:], k, v, self.scale))
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=2), weights

    def _checked(self, read: Any, shape: tuple[int, ...], num_rows: int) -> tuple[Tensor, Tensor | None]:
        """What a kernel returned, where it has the shapes that :meth:`compute` promises.

        Args:
            read: What it returned.
            shape: That of its queries, (B, h, T, d).
            num_rows: R, as it was asked for.

        Raises:
            ConfigError: Naming the kernel, since what is reshaped in another order trains without a word.
        """
        batch, heads, length, _ = shape
        out: Any
        weights: Any
        out, weights = read if isinstance(read, tuple) and len(read) == 2 else (None, None)
        if getattr(out, 'shape', None) != shape:
            raise ConfigError(
                f'{type(self).__name__}.compute must return a tuple of what was read, (B, h, T, d) = {shape}, and of '
                f'weights, not {_describe(read)}'
            )
        if num_rows and getattr(weights, 'shape', None) != (batch, heads, num_rows, length):
            raise ConfigError(
                f'{type(self).__name__}.compute was asked for the weights of num_rows={num_rows} tokens, '
                f'(B, h, R, T) = {(batch, heads, num_rows, length)}, and returned {_describe(weights)}'
            )
        return out, weights


def _describe(value: Any) -> str:
    """Shapes for a message."""
    if isinstance(value, tuple):
        return f'({", ".join(map(_describe, value))})'
    return f'a tensor of {tuple(value.shape)}' if isinstance(value, Tensor) else repr(value)
