"""Half precision attention on a CPU, which torch's own kernel is slow at.

Shapes: B batch, h heads, T tokens, d width of a head, N = B h maps, n of them at a time, R queries.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

_FORWARD = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
_BACKWARD = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward
# Bytes of scores that are computed at a time on each thread: more than that falls out of the nearer caches.
_AT_A_TIME = 2 * 2**20
_replaces = True


@contextmanager
def as_on_a_gpu() -> Iterator[None]:
    """Attention on a CPU by the kernel of its own precision: what a GPU runs, for counting."""
    global _replaces
    before, _replaces = _replaces, False
    try:
        yield
    finally:
        _replaces = before


@cache
def multiplies_bfloat16() -> bool:
    """Whether this CPU multiplies bfloat16 by instructions of its own, and torch can have float32 multiplied so."""
    asked = [getattr(torch.cpu, f'_is_{name}_supported', None) for name in ('avx512_bf16', 'amx_tile')]
    return hasattr(torch.backends.mkldnn, 'matmul') and any(each is not None and each() for each in asked)


def attend(q: Tensor, k: Tensor, v: Tensor, scale: float) -> Tensor:
    """``softmax(scale * q k^T) v``, (B, h, T, d), by torch's fused kernel, each (B, h, T, d).

    In half precision torch 2.12's kernel for CPUs is slower than its own in float32, most of all backwards (measured by
    us with d = 24: 3.9 times for 273 tokens, 1.9 times for 785). So the numbers are widened for it, and only for it:
    what is kept for the backward pass is as narrow as it came. Where the CPU multiplies bfloat16 itself, plain products
    are faster still (measured by us on one core of an AMD EPYC, Zen 5, with d = 24: forwards and backwards 1.13 times
    for 273 tokens, 1.4 times for 785).
    """
    is_half = q.device.type == 'cpu' and q.dtype in (torch.bfloat16, torch.float16)
    if not (_replaces and is_half) or torch.compiler.is_compiling():
        return F.scaled_dot_product_attention(q, k, v, scale=scale)
    if q.dtype == torch.bfloat16 and multiplies_bfloat16():
        return _Products.apply(q, k, v, scale)
    return _Widened.apply(q, k, v, scale)


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


class _Products(torch.autograd.Function):
    """Attention between values of bfloat16 by products of them, a few maps at a time, none of which is kept.

    Scores and softmax are in float32, as in a fused kernel; weights, and the gradients of both, in bfloat16.
    """

    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor, scale: float) -> Tensor:
        """What is read, (B, h, R, d), of queries (B, h, R, d), keys and values (B, h, T, d)."""
        ctx.save_for_backward(q, k, v)
        ctx.scale = scale
        maps = _Maps(q, k, scale)
        values = v.flatten(0, 1)  # (N, T, d)
        out = values.new_empty(q.shape).flatten(0, 1)  # (N, R, d)
        for part in maps.parts():
            torch.bmm(maps.weights(part), values[part], out=out[part])
        return out.view(q.shape)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of q, k and v."""
        q, k, v = ctx.saved_tensors
        maps = _Maps(q, k, ctx.scale)
        queries, keys, values, read = (each.flatten(0, 1) for each in (q, k, v, gradient))  # (N, R or T, d) each
        of_queries, of_keys, of_values = (torch.empty_like(each) for each in (queries, keys, values))
        of_weights = torch.empty_like(maps.narrow)
        for part in maps.parts():
            weights = maps.weights(part)  # (n, R, T)
            slope = of_weights[: len(weights)]
            torch.bmm(weights.transpose(1, 2), read[part], out=of_values[part])
            torch.bmm(read[part], values[part].transpose(1, 2), out=slope)
            slope = torch._softmax_backward_data(slope, weights, -1, slope.dtype)
            torch.bmm(slope, keys[part], out=of_queries[part])
            torch.bmm(slope.transpose(1, 2), queries[part], out=of_keys[part])
        return of_queries.mul_(ctx.scale).view_as(q), of_keys.mul_(ctx.scale).view_as(k), of_values.view_as(v), None


class _Maps:
    """The softmax weights of all maps, a few at a time, in memory that they share.

    Args:
        q: Queries, (B, h, R, d), bfloat16.
        k: Keys, (B, h, T, d).
        scale: Of the scores.
    """

    def __init__(self, q: Tensor, k: Tensor, scale: float) -> None:
        self.scale = scale
        self.queries = _widened(q)  # (N, R, d)
        self.keys = _widened(k).transpose(1, 2)  # (N, d, T)
        shape = (self.queries.shape[1], self.keys.shape[2])
        bytes_of_map = max(1, 4 * shape[0] * shape[1])
        number = max(1, min(len(self.queries), torch.get_num_threads() * _AT_A_TIME // bytes_of_map))
        self.wide = self.queries.new_empty(number, *shape)
        self.narrow = q.new_empty(number, *shape)

    def parts(self) -> Iterator[slice]:
        """The maps that are computed together."""
        number = len(self.wide)
        for start in range(0, len(self.queries), number):
            yield slice(start, min(start + number, len(self.queries)))

    def weights(self, part: slice) -> Tensor:
        """Weights (n, R, T) of some maps, bfloat16; the next ones take their place."""
        count = part.stop - part.start
        scores = self.wide[:count]
        with _products_of_bfloat16():  # these numbers lose nothing by it
            torch.baddbmm(scores, self.queries[part], self.keys[part], beta=0, alpha=self.scale, out=scores)
        torch.softmax(scores, dim=-1, out=scores)
        return self.narrow[:count].copy_(scores)


def _widened(each: Tensor) -> Tensor:
    """A map of each head after the other, (N, T, d), of (B, h, T, d), in float32, by one copy."""
    return each.to(torch.float32, memory_format=torch.contiguous_format).flatten(0, 1)


@contextmanager
def _products_of_bfloat16() -> Iterator[None]:
    """Has float32 matrices multiplied as bfloat16, and added up as float32."""
    backend: Any = torch.backends.mkldnn  # its members are set when it is imported
    options = backend.matmul
    before = options.fp32_precision
    options.fp32_precision = 'bf16'
    try:
        yield
    finally:
        options.fp32_precision = before
