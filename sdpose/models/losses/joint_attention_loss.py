"""What the joints look at, in a token-pruned student and its teacher (DPPT's attention term, a proposal).

DPPT's text is not public beyond its abstract ("attention maps"); this is one reading of it.

Shapes: B batch, h heads, K query tokens, P visual tokens of the teacher and n <= P of the student.
"""

from collections.abc import Sequence
from typing import Any

import torch
from mmpose.registry import MODELS
from torch import Tensor
from torch.nn import functional as F

from sdpose.errors import require_choice

from .base import TRACE, DistillationLoss
from .checks import require_layers, require_same_shape, traced_layers

DIVERGENCES = ('kl', 'mse')
SUPPORTS = ('surviving', 'grid')


@MODELS.register_module()
class JointAttentionLoss(DistillationLoss):
    """Attention rows of the joints, the mean over heads, on the tokens that the student still has.

    The teacher's rows lose the columns of the patches that the student has pruned before that layer, and are divided
    by what is left, so that both are distributions over the same tokens. The other reading keeps the teacher's rows
    and puts the student's back on the full grid, with zeros for what it has pruned.

    Args:
        layers: 0-based layers to compare; None for all.
        divergence: ``'kl'``, KL(teacher || student) of every row, or ``'mse'``.
        support: ``'surviving'``, the tokens that the student still has, or ``'grid'``, all of them; the latter with
            ``'mse'`` only, since a zero of the student makes the other infinite.
        loss_weight: Factor of the sum over layers of the mean over batch and joints (and, for ``'mse'``, columns).

    Raises:
        ValueError: If a value is unknown or negative.
    """

    reads = TRACE

    def __init__(
        self,
        layers: Sequence[int] | None = None,
        divergence: str = 'kl',
        support: str = 'surviving',
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__(loss_weight)
        require_choice('divergence', divergence, DIVERGENCES)
        require_choice('support', support, SUPPORTS)
        if support == 'grid' and divergence != 'mse':
            raise ValueError(
                "support='grid' needs divergence='mse': what the student has pruned is zero there, and "
                'the other divergence infinite'
            )
        self.layers = require_layers(layers)
        self.divergence = divergence
        self.support = support

    @staticmethod
    def on_surviving(rows: Tensor, kept: Tensor | None) -> Tensor:
        """Rows (B, K, K + P) of all tokens as distributions (B, K, K + n) over the joints and the kept patches.

        Args:
            rows: The teacher's attention rows.
            kept: The student's patches (B, n) in the full grid; None for all.
        """
        if kept is None:
            return rows
        count = rows.shape[1]
        patches = rows[..., count:].gather(2, kept[:, None].expand(-1, count, -1))  # (B, K, n)
        surviving = torch.cat([rows[..., :count], patches], dim=2)  # (B, K, K + n)
        return surviving / surviving.sum(dim=2, keepdim=True)

    @staticmethod
    def on_grid(rows: Tensor, kept: Tensor | None, size: int) -> Tensor:
        """Rows (B, K, K + n) of joints and kept patches as rows (B, K, size) of all tokens, zero where pruned."""
        if kept is None:
            return rows
        count = rows.shape[1]
        joints = torch.arange(count, device=kept.device).expand(len(kept), -1)  # (K,) -> (B, K)
        columns = torch.cat([joints, kept + count], dim=1)  # (B, K + n)
        return rows.new_zeros(*rows.shape[:2], size).scatter(2, columns[:, None].expand_as(rows), rows)

    def distance(self, student: Sequence, teacher: Sequence) -> Tensor:
        """Loss of two traces (one :class:`~sdpose.structures.LayerTrace` per layer), a scalar.

        Raises:
            ValueError: If the traces do not correspond: other depth, tokens or joints, or a teacher that prunes.
        """
        layers = traced_layers(student, teacher, self.layers)
        first = _rows(student[0]), _rows(teacher[0])  # before any pruning
        require_same_shape(*first, 'attention rows (joints and patches)')
        total = first[0].new_zeros(())
        for layer in layers:
            ours, theirs = student[layer], teacher[layer]
            if theirs.kept is not None:  # its rows would be cut by places of another set
                raise ValueError(f'the teacher has pruned tokens before layer {layer}: it must keep them all')
            rows, target = _rows(ours), _rows(theirs)
            if self.support == 'grid':
                rows = self.on_grid(rows, ours.kept, target.shape[2])
            else:
                target = self.on_surviving(target, ours.kept)
            total = total + self._divergence(rows, target)
        return total

    def _divergence(self, rows: Tensor, target: Tensor) -> Tensor:
        if self.divergence == 'mse':
            return F.mse_loss(rows, target)
        smallest = torch.finfo(rows.dtype).tiny  # a softmax may round to 0, whose logarithm would be infinite
        return F.kl_div(rows.clamp_min(smallest).log(), target, reduction='none').sum(dim=2).mean()


def _rows(layer: Any) -> Tensor:
    """What each joint attends to in a layer, the mean over heads, (B, K, K + P)."""
    # The weights may be in half precision, whose logarithms lie farther apart than student and teacher do.
    return layer.query_attention.float().mean(dim=1)  # (B, h, K, K + P) -> (B, K, K + P)
