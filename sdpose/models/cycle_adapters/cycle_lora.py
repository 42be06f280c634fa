"""Low-rank changes of the shared weights for every cycle (Relaxed Recursive Transformers, arXiv:2410.20672).

Shapes: C cycles, r rank.
"""

from collections.abc import Sequence
from typing import Any

import torch
from mmpose.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from .base import CycleAdapter, normal_apart, with_parts


class _LowRank(nn.Module):
    """``B_c A_c x`` for each cycle c from the second on; B starts from zero, A from a normal of std 0.02."""

    def __init__(self, linear: nn.Linear, rank: int, later: int) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.empty(later, rank, linear.in_features))  # (C - 1, r, in)
        self.b = nn.Parameter(torch.zeros(later, linear.out_features, rank))  # (C - 1, out, r)
        normal_apart(self.a, std=0.02)


class _Changed(nn.Module):
    """``linear(x) + B_c A_c x``."""

    def __init__(self, linear: Any, change: Any, cycle: int) -> None:
        super().__init__()
        self.linear, self.a, self.b = linear, change.a[cycle - 2], change.b[cycle - 2]

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x) + F.linear(F.linear(x, self.a), self.b)


@MODELS.register_module()
class CycleLoRA(CycleAdapter):
    """Adds ``B_c A_c`` to the four linears of each layer, in each cycle from the second on.

    Args:
        layers: As for :class:`CycleAdapter`; with the attention of this project or one of its kind.
        num_cycles: As for :class:`CycleAdapter`.
        rank: r; the change has r (in + out) parameters per linear and cycle, and no other scale (alpha = r).

    Raises:
        ValueError: If the rank is not positive, or the attention has no linears ``qkv`` and ``proj``.
    """

    def __init__(self, layers: Sequence[nn.Module], num_cycles: int, rank: int = 8) -> None:
        super().__init__(layers, num_cycles)
        if rank < 1:  # a change of nothing
            raise ValueError(f'CycleLoRA needs a rank of at least 1, got {rank}')
        self.changes = nn.ModuleList()
        for layer in layers:
            linears = _linears(layer)
            if not all(isinstance(linear, nn.Linear) for linear in linears.values()):
                raise ValueError(
                    f'CycleLoRA changes the linears qkv and proj of the attention, which '
                    f'{type(layer.attn).__name__} does not have: take CycleNorm or CycleEmbedding'
                )
            parts = {name: _LowRank(linear, rank, self.later) for name, linear in linears.items()}
            self.changes.append(nn.ModuleDict(parts))

    def layer(self, layer: Any, index: int, cycle: int) -> Any:
        """The layer with its four linears changed."""
        changes: Any = self.changes[index]
        new = {name: _Changed(linear, changes[name], cycle) for name, linear in _linears(layer).items()}
        attn = with_parts(layer.attn, qkv=new['qkv'], proj=new['proj'])
        return with_parts(layer, attn=attn, ffn=nn.Sequential(new['fc1'], layer.ffn[1], new['fc2']))


def _linears(layer: Any) -> dict[str, Any]:
    """The linears of a layer."""
    attn = layer.attn
    named = dict(qkv=getattr(attn, 'qkv', None), proj=getattr(attn, 'proj', None))
    return {**named, 'fc1': layer.ffn[0], 'fc2': layer.ffn[2]}
