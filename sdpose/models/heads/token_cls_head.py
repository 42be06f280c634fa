"""Classification head over the class token (DeiT; SDPose, Table 9), supervising one or all cycles.

Shapes: B batch, D token width, C cycles, N classes.
"""

from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn

from sdpose.structures import ClassSample, CycleTokens

from .base import CycleHead


@MODELS.register_module()
class TokenClsHead(CycleHead, BaseModule):
    """The final norm and one linear, shared by the cycles; the token transformer itself ends without a norm.

    Args:
        in_channels: Token width D.
        num_classes: Number of classes N.
        supervise: ``'all'`` gives every cycle its loss, ``'last'`` the last cycle only;
            ``dict(gamma=...)`` lets the loss of cycle c count ``gamma ** (c - 1)``.
        loss: The loss of one cycle's logits against class probabilities.
        norm_eps: Added to the variance by the norm.
        init_cfg: Initialization; by default the linear from a truncated normal of std 0.02.

    Raises:
        ValueError: If ``supervise`` is unknown or there is no class.
    """

    loss_name = 'loss_cls'

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        supervise: str | dict = 'all',
        loss: dict | None = None,
        norm_eps: float = 1e-5,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg or dict(type='TruncNormal', layer='Linear', std=0.02, bias=0))
        if num_classes < 1:  # a linear without outputs is built all the same
            raise ValueError(f'a classification head needs at least one class, got num_classes={num_classes}')
        self.num_classes = num_classes
        self.set_supervision(supervise)
        self.norm = nn.LayerNorm(in_channels, eps=norm_eps)
        self.fc = nn.Linear(in_channels, num_classes)
        self.loss_module = MODELS.build(loss or dict(type='SoftCrossEntropyLoss'))

    def outputs(self, query: Tensor) -> Tensor:
        """Logits (..., N) of the class token in (..., 1, D).

        Raises:
            ValueError: If there are several query tokens.
        """
        if query.shape[-2] != 1:  # squeezing would leave several, and the loss broadcast
            raise ValueError(f'TokenClsHead reads one class token, but the neck has num_queries={query.shape[-2]}')
        return self.fc(self.norm(query.squeeze(-2)))  # (..., 1, D) -> (..., N)

    def targets(self, data_samples: Sequence[ClassSample]) -> Tensor:
        """Probabilities (B, N) of the (mixed) classes."""
        return torch.stack([sample.gt_score for sample in data_samples])  # (B, N)

    def loss_of(self, raw: Tensor, targets: Tensor) -> Tensor:
        """The loss of one cycle's logits (B, N)."""
        return self.loss_module(raw, targets)

    def accuracy(self, prediction: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """``acc_top1``: the share of images whose likeliest class is the heavier one of the target."""
        return dict(acc_top1=(prediction.argmax(-1) == targets.argmax(-1)).float().mean())

    def predict(self, feats: CycleTokens, data_samples: Sequence[ClassSample]) -> list[ClassSample]:
        """The samples with ``pred_score``, the class probabilities (N,) of the deployed cycle."""
        for sample, scores in zip(data_samples, self.forward(feats).softmax(dim=-1)):
            sample.pred_score = scores
        return list(data_samples)
