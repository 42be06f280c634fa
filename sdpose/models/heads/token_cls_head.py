"""Classification head over the class token (DeiT; SDPose, Table 9), supervising one or all cycles.

Shapes: B batch, D token width, C cycles, N classes.
"""

from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn

from sdpose.structures import ClassSample, CycleTokens

from .supervision import check_supervise, stack_queries, supervised_cycles


@MODELS.register_module()
class TokenClsHead(BaseModule):
    """The final norm and one linear, shared by the cycles; the token transformer itself ends without a norm.

    Args:
        in_channels: token width D.
        num_classes: number of classes N.
        supervise: ``'all'`` gives every cycle its loss, ``'last'`` the last cycle only.
        loss: the loss of one cycle's logits against class probabilities.
        norm_eps: added to the variance by the norm.
        init_cfg: initialization; by default the linear from a truncated normal of std 0.02.

    Raises:
        ValueError: if ``supervise`` is unknown or there is no class.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        supervise: str = 'all',
        loss: dict | None = None,
        norm_eps: float = 1e-5,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg or dict(type='TruncNormal', layer='Linear', std=0.02, bias=0))
        if num_classes < 1:
            raise ValueError(f'a classification head needs at least one class, got num_classes={num_classes}')
        self.num_classes = num_classes
        self.supervise = check_supervise(supervise)
        self.norm = nn.LayerNorm(in_channels, eps=norm_eps)
        self.fc = nn.Linear(in_channels, num_classes)
        self.loss_module = MODELS.build(loss or dict(type='SoftCrossEntropyLoss'))

    def logits(self, query: Tensor) -> Tensor:
        """Logits (..., N) of the class token in (..., 1, D).

        Raises:
            ValueError: if there are several query tokens.
        """
        if query.shape[-2] != 1:
            raise ValueError(f'TokenClsHead reads one class token, but the neck has num_queries={query.shape[-2]}')
        return self.fc(self.norm(query.squeeze(-2)))

    def forward(self, feats: CycleTokens) -> Tensor:
        """Logits of the deployed cycle, (B, N)."""
        return self.logits(feats.output.query)

    def predict_cycles(self, feats: CycleTokens) -> dict[int, Tensor]:
        """Logits (B, N) of every supervised cycle, by its 0-based index."""
        cycles = supervised_cycles(feats, self.supervise, 'loss_cls')
        return dict(zip(cycles, self.logits(stack_queries(feats, cycles))))

    def loss(
        self, feats: CycleTokens, data_samples: Sequence[ClassSample], train_cfg: dict | None = None
    ) -> dict[str, Tensor]:
        """Losses of the supervised cycles and the accuracy of the deployed one.

        Args:
            feats: the tokens of all cycles.
            data_samples: one sample per image, with ``gt_score``.
            train_cfg: ``compute_acc=False`` leaves the accuracy out.

        Returns:
            ``loss_cls`` for a single cycle, else ``loss_cls_cycle1`` and so on; ``acc_top1``, the share of images
            whose likeliest class is the heavier one of the (mixed) target.
        """
        target = torch.stack([sample.gt_score for sample in data_samples])
        names = supervised_cycles(feats, self.supervise, 'loss_cls')
        predictions = self.predict_cycles(feats)
        losses = {name: self.loss_module(predictions[cycle], target) for cycle, name in names.items()}
        if (train_cfg or {}).get('compute_acc', True):
            with torch.no_grad():
                deployed = predictions[feats.deployed] if feats.deployed in predictions else self.forward(feats)
                losses['acc_top1'] = (deployed.argmax(-1) == target.argmax(-1)).float().mean()
        return losses

    def predict(self, feats: CycleTokens, data_samples: Sequence[ClassSample]) -> list[ClassSample]:
        """The samples with ``pred_score``, the class probabilities (N,) of the deployed cycle."""
        for sample, scores in zip(data_samples, self.forward(feats).softmax(dim=-1)):
            sample.pred_score = scores
        return list(data_samples)
