"""Half precision attention on a CPU, by the kernel of float32.

Shapes: B batch, h heads, T tokens, d width of a head.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

_FORWARD = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
_BACKWARD = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward
_widens = True


@contextmanager
def as_on_a_gpu() -> Iterator[None]:
    """Attention on a CPU by the kernel of its own precision: what a GPU runs, for counting."""
    global _widens
    before, _widens = _widens, False
    try:
        yield
    finally:
        _widens = before


def attend(q: Tensor, k: Tensor, v: Tensor, scale: float) -> Tensor:
    """``softmax(scale * q k^T) v``, (B, h, T, d), by torch's fused kernel, each (B, h, T, d).

    In half precision torch 2.12's kernel for CPUs is slower than its own in float32, most of all backwards (measured by
    us with d = 24: 3.9 times for 273 tokens, 1.9 times for 785). So the numbers are widened for it, and only for it:
    what is kept for the backward pass is as narrow as it came.
    """
    if (
        _widens
        and q.device.type == 'cpu'
        and q.dtype in (torch.bfloat16, torch.float16)
        and not torch.compiler.is_compiling()
    ):
        return _Widened.apply(q, k, v, scale)
    return F.scaled_dot_product_attention(q, k, v, scale=scale)


class _Widened(torch.autograd.Function):
    """Fused attention in float32 between values of half precision."""

    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor, scale: float) -> Tensor:
        """What is read, (B, h, T, d), in the precision of ``q``."""
        out, logsumexp = _FORWARD(q.float(), k.float(), v.float(), scale=scale)
        out = out.to(q.dtype)
        ctx.save_for_backward(q, k, v, out, logsumexp)
        ctx.scale = scale
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of q, k and v."""
        q, k, v, out, logsumexp = ctx.saved_tensors
        found = _BACKWARD(
            gradient.float(), q.float(), k.float(), v.float(), out.float(), logsumexp, 0.0, False, scale=ctx.scale
        )
        return *(each.to(q.dtype) for each in found), None
