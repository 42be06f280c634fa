"""What a layer keeps for its backward pass: not what is cheap to compute again.

Shapes: B batch, T tokens, D width.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor


def linear_of(
    value: Callable[[Tensor], Tensor], x: Tensor, linear: Callable[[Tensor], Any], recompute: bool = True
) -> Any:
    """``linear(value(x))``, which keeps ``x`` for the backward pass, and not ``value(x)``, too.

    A norm and a GELU keep their input for their own backward pass; their output would be kept beside it, for the linear
    behind them. It is computed anew, to the same bits.

    Args:
        value: A norm or an activation, cheap beside the linear.
        x: Its input, (B, T, D).
        linear: What follows, a linear or what begins with one.
        recompute: Whether to do so; otherwise, and where a compiler decides on its own, the output is kept.
    """
    found = value(x)
    if not (recompute and torch.is_grad_enabled()) or torch.compiler.is_compiling():
        return linear(found)
    kind = x.device.type
    is_mixed = torch.is_autocast_enabled(kind)
    dtype = torch.get_autocast_dtype(kind)
    if is_mixed:
        found = found.to(dtype)  # as autocast would, so that the tensor that the linear keeps is this one

    def again() -> Tensor:
        with torch.autocast(kind, dtype=dtype, enabled=is_mixed):
            made = value(x.detach())
        return made.to(dtype) if is_mixed else made

    with _not_kept(found, again):
        return linear(found)


@contextmanager
def _not_kept(tensor: Tensor, again: Callable[[], Tensor]) -> Iterator[None]:
    """Has whatever keeps a tensor for its backward pass compute it again."""
    place, layout = tensor.data_ptr(), (tensor.numel(), tensor.dtype)

    def pack(kept: Tensor) -> Any:
        if kept.data_ptr() == place and (kept.numel(), kept.dtype) == layout and kept.is_contiguous():
            return kept.shape
        return kept

    def unpack(packed: Any) -> Tensor:
        if isinstance(packed, Tensor):
            return packed
        with torch.no_grad():
            return again().view(packed)

    with torch.autograd.graph.saved_tensors_hooks(pack, unpack):
        yield
