"""What the joints look at, in a token-pruned student and its teacher (DPPT's attention term, a proposal).

DPPT's text is not public beyond its abstract ("attention maps"); this is one reading of it.

Shapes: B batch, h heads, K query tokens, P visual tokens of the teacher and n <= P of the student.
"""
from collections.abc import Sequence
from typing import Optional

import torch
from mmpose.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from .checks import require_layers, require_same_shape, require_weight, traced_layers

DIVERGENCES = ('kl', 'mse')


@MODELS.register_module()
class JointAttentionLoss(nn.Module):
    """Attention rows of the joints, the mean over heads, on the tokens that the student still has.

    The teacher's rows lose the columns of the patches that the student has pruned before that layer, and are divided
    by what is left, so that both are distributions over the same tokens.

    Args:
        layers: 0-based layers to compare; None for all.
        divergence: ``'kl'``, KL(teacher || student) of every row, or ``'mse'``.
        loss_weight: factor of the sum over layers of the mean over batch and joints (and, for ``'mse'``, columns).

    Raises:
        ValueError: if a value is unknown or negative.
    """

    reads_trace = True

    def __init__(self,
                 layers: Optional[Sequence[int]] = None,
                 divergence: str = 'kl',
                 loss_weight: float = 1.) -> None:
        super().__init__()
        if divergence not in DIVERGENCES:
            raise ValueError(f'divergence={divergence!r} is unknown; choose one of {", ".join(DIVERGENCES)}')
        self.layers = require_layers(layers)
        self.divergence = divergence
        self.loss_weight = require_weight(loss_weight)

    @staticmethod
    def on_surviving(rows: Tensor, kept: Optional[Tensor]) -> Tensor:
        """Rows (B, K, K + P) of all tokens as distributions (B, K, K + n) over the joints and the kept patches.

        Args:
            rows: the teacher's attention rows.
            kept: the student's patches (B, n) in the full grid; None for all.
        """
        if kept is None:
            return rows
        count = rows.shape[1]
        patches = rows[..., count:].gather(2, kept[:, None].expand(-1, count, -1))
        surviving = torch.cat([rows[..., :count], patches], dim=2)
        return surviving / surviving.sum(dim=2, keepdim=True)

    def forward(self, student: Sequence, teacher: Sequence) -> Tensor:
        """Loss of two traces (one :class:`~sdpose.structures.LayerTrace` per layer), a scalar.

        Raises:
            ValueError: if the traces do not correspond: other depth, tokens or joints, or a teacher that prunes.
        """
        layers = traced_layers(student, teacher, self.layers)
        first = student[0].rows.mean(dim=1), teacher[0].rows.mean(dim=1)  # before any pruning
        require_same_shape(*first, 'attention rows (joints and patches)')
        total = first[0].new_zeros(())
        for layer in layers:
            ours, theirs = student[layer], teacher[layer]
            if theirs.kept is not None:
                raise ValueError(f'the teacher has pruned tokens before layer {layer}: it must keep them all')
            target = self.on_surviving(theirs.rows.mean(dim=1), ours.kept)
            total = total + self._divergence(ours.rows.mean(dim=1), target)
        return self.loss_weight * total

    def _divergence(self, rows: Tensor, target: Tensor) -> Tensor:
        if self.divergence == 'mse':
            return F.mse_loss(rows, target)
        smallest = torch.finfo(rows.dtype).tiny  # a softmax may round to 0, whose logarithm would be infinite
        return F.kl_div(rows.clamp_min(smallest).log(), target, reduction='none').sum(dim=2).mean()
