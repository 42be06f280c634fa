"""Linears whose products in float32 are those of oneDNN where torch would take a slower library's.

Shapes: M rows, K inputs, N outputs.
"""

from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F
from torch.utils._python_dispatch import is_in_torch_dispatch_mode

_LEAST_ROWS = 64  # with fewer, MKL is as fast


class FastLinear(nn.Linear):
    """``torch.nn.Linear`` with the same weights, keys and results, up to rounding.

    On a CPU torch computes products in float32 by MKL, which on AMD's processors leaves AVX-512 unused: oneDNN, by
    which torch computes convolutions, is twice as fast there, forwards and backwards (measured by us on one core of an
    AMD EPYC, Zen 5, with 273 rows of 192: 216 against 109 GFLOP/s). So it is taken there, unless a graph is recorded.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(..., K) -> (..., N)."""
        if not _is_faster_by_onednn(x, self.weight):
            return F.linear(x, self.weight, self.bias)
        if torch.is_grad_enabled() and (x.requires_grad or any(each.requires_grad for each in self.parameters())):
            return _Linear.apply(x, self.weight, self.bias)
        return _product(x, self.weight, self.bias)


@cache
def has_slow_products() -> bool:
    """Whether torch's own products in float32 are slow on this CPU, and oneDNN's are at hand."""
    built = torch.backends.mkl.is_available() and torch.backends.mkldnn.is_available()
    if not built or torch.backends.cpu.get_cpu_capability() != 'AVX512':
        return False
    described = Path('/proc/cpuinfo')
    return described.is_file() and 'AuthenticAMD' in described.read_text()


def _is_faster_by_onednn(x: Tensor, weight: Tensor) -> bool:
    # What records or counts operators knows torch's own.
    if torch.jit.is_tracing() or torch.compiler.is_compiling() or is_in_torch_dispatch_mode():
        return False
    plain = x.device.type == 'cpu' and x.dtype == weight.dtype == torch.float32 and not torch.is_autocast_enabled('cpu')
    return plain and x.numel() >= _LEAST_ROWS * weight.shape[1] and has_slow_products()


def _product(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """``x weight^T + bias``: x (..., K), weight (N, K), bias (N,) -> (..., N)."""
    if torch.compiler.is_compiling():  # from here on: what calls this was left to torch
        return F.linear(x, weight, bias)
    return torch.ops.mkldnn._linear_pointwise(x, weight, bias, 'none', [], '')


class _Linear(torch.autograd.Function):
    """The product, and those of its backward pass."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """(..., K) -> (..., N)."""
        ctx.save_for_backward(x, weight)
        return _product(x, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of x, weight and bias, of which each is computed if it is needed."""
        x, weight = ctx.saved_tensors
        rows = gradient.reshape(-1, gradient.shape[-1])  # (M, N)
        needs_x, needs_weight, needs_bias = ctx.needs_input_grad
        of_x = _product(gradient, weight.t(), None) if needs_x else None
        of_weight = _product(rows.t(), x.reshape(-1, x.shape[-1]).t(), None) if needs_weight else None
        return of_x, of_weight, rows.sum(dim=0) if needs_bias else None
