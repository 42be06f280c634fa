"""Heatmap head over keypoint tokens (TokenPose, section 3.4), supervising one or all cycles (SDPose, eq. 3).

Shapes: B batch, K keypoints, D token width, H and W the heatmap size.
"""

from collections.abc import Sequence

import torch
from mmpose.models.heads import HeatmapHead
from mmpose.registry import MODELS
from torch import Tensor

from sdpose.structures import CycleTokens

from .accuracy import heatmap_pck
from .mlp import at_least_float32, token_mlp
from .supervision import check_supervise, stack_queries, supervised_cycles


@MODELS.register_module()
class TokenPoseHead(HeatmapHead):
    """Maps every keypoint token to its heatmap by a small MLP, shared by keypoints and cycles.

    Prediction, flip test and decoding are MMPose's ``HeatmapHead``.

    Args:
        in_channels: token width D.
        decoder: the codec, as for ``HeatmapHead``; its ``heatmap_size`` (w, h) is the head's.
        supervise: ``'all'`` gives every cycle its loss, ``'last'`` the last cycle only (Table 5 and 6 of SDPose).
        loss: the loss of one cycle's heatmaps.
        init_cfg: initialization; by default every linear from a truncated normal of std 0.02.

    Raises:
        ValueError: if ``supervise`` is unknown or the codec has no sensible heatmap size.
    """

    def __init__(
        self,
        in_channels: int,
        decoder: dict,
        supervise: str = 'all',
        loss: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        if 'heatmap_size' not in decoder:
            raise ValueError(f'TokenPoseHead needs a heatmap codec, but {decoder.get("type")} has no heatmap_size')
        size = decoder['heatmap_size']
        if len(size) != 2 or not all(isinstance(length, int) and length > 0 for length in size):
            raise ValueError(f'the heatmap_size of a codec is (w, h) in whole pixels, got {size!r}')
        super().__init__(
            in_channels=in_channels,
            out_channels=None,
            deconv_out_channels=None,
            final_layer=None,
            loss=loss or dict(type='KeypointMSELoss', use_target_weight=True),
            decoder=decoder,
            init_cfg=init_cfg or dict(type='TruncNormal', layer='Linear', std=0.02, bias=0),
        )
        self.supervise = check_supervise(supervise)
        self.heatmap_size = tuple(decoder['heatmap_size'])
        pixels = self.heatmap_size[0] * self.heatmap_size[1]
        self.mlp = token_mlp(in_channels, pixels // 8, pixels)

    def heatmaps(self, query: Tensor) -> Tensor:
        """Heatmaps (..., K, H, W) of query tokens (..., K, D), in float32 under mixed precision too."""
        width, height = self.heatmap_size
        return at_least_float32(self.mlp(query)).unflatten(-1, (height, width))

    def forward(self, feats: CycleTokens) -> Tensor:
        """Heatmaps of the deployed cycle, (B, K, H, W)."""
        return self.heatmaps(feats.output.query)

    def loss(
        self, feats: CycleTokens, batch_data_samples: Sequence, train_cfg: dict | None = None
    ) -> dict[str, Tensor]:
        """Losses of the supervised cycles and the accuracy of the deployed one.

        Args:
            feats: the tokens of all cycles.
            batch_data_samples: one MMPose data sample per image, with target heatmaps and keypoint weights.
            train_cfg: ``compute_acc=False`` leaves the accuracy out.

        Returns:
            ``loss_kpt`` for a single cycle, else ``loss_kpt_cycle1`` and so on; ``acc_pose``.
        """
        target = torch.stack([sample.gt_fields.heatmaps for sample in batch_data_samples])
        weight = torch.cat([sample.gt_instance_labels.keypoint_weights for sample in batch_data_samples])
        names = supervised_cycles(feats, self.supervise)
        predictions = self.predict_cycles(feats)
        losses = {name: self.loss_module(predictions[cycle], target, weight) for cycle, name in names.items()}
        if (train_cfg or {}).get('compute_acc', True):
            with torch.no_grad():
                deployed = predictions[feats.deployed] if feats.deployed in predictions else self.forward(feats)
                losses['acc_pose'] = heatmap_pck(deployed, target, weight > 0)
        return losses

    def predict_cycles(self, feats: CycleTokens) -> dict[int, Tensor]:
        """Heatmaps (B, K, H, W) of every supervised cycle, by its 0-based index, in one pass of the MLP."""
        cycles = supervised_cycles(feats, self.supervise)
        return dict(zip(cycles, self.heatmaps(stack_queries(feats, cycles))))
