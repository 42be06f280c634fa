"""Heatmap head over keypoint tokens (TokenPose, section 3.4), supervising one or all cycles (SDPose, eq. 3).

Shapes: B batch, K keypoints, D token width, H and W the heatmap size.
"""

from collections.abc import Sequence
from typing import Any

from mmpose.models.heads import HeatmapHead
from mmpose.registry import MODELS
from torch import Tensor

from .accuracy import heatmap_pck
from .mirror import mean_with_mirror
from .mlp import token_mlp, upcast_half
from .mmpose_heads import with_forward_of
from .pose_head import PoseHead
from .targets import heatmap_targets


@MODELS.register_module()
class TokenPoseHead(PoseHead, HeatmapHead):
    """Maps every keypoint token to its heatmap by a small MLP, shared by keypoints and cycles.

    Prediction, flip test and decoding are those of MMPose's ``HeatmapHead``.

    Args:
        in_channels: Token width D.
        decoder: The codec, as for ``HeatmapHead``; its ``heatmap_size`` (w, h) is the head's.
        supervise: ``'all'`` gives every cycle its loss, ``'last'`` the last cycle only (Table 5 and 6 of SDPose);
            ``dict(gamma=...)`` lets the loss of cycle c count ``gamma ** (c - 1)``.
        loss: The loss of one cycle's heatmaps.
        visibility: Options of :class:`TokenVisibility` (``dict()`` for its defaults), with which the head also learns
            and predicts whether joints can be seen; None for a head that does not.
        init_cfg: Initialization; by default every linear from a truncated normal of std 0.02.

    Raises:
        ValueError: If ``supervise`` is unknown or the codec has no sensible heatmap size.
    """

    def __init__(
        self,
        in_channels: int,
        decoder: dict,
        supervise: str | dict = 'all',
        loss: dict | None = None,
        visibility: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        if 'heatmap_size' not in decoder:  # a regression codec fails with a bare KeyError
            raise ValueError(f'TokenPoseHead needs a heatmap codec, but {decoder.get("type")} has no heatmap_size')
        size = decoder['heatmap_size']
        # else: a product of anything builds
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
        self.set_supervision(supervise)
        self.heatmap_size = tuple(decoder['heatmap_size'])
        pixels = self.heatmap_size[0] * self.heatmap_size[1]
        self.mlp = token_mlp(in_channels, pixels // 8, pixels)
        self.set_visibility(in_channels, visibility)

    def outputs(self, query: Tensor) -> Tensor:
        """Heatmaps (..., K, H, W) of query tokens (..., K, D), in float32 under mixed precision too."""
        width, height = self.heatmap_size
        return upcast_half(self.mlp(query)).unflatten(-1, (height, width))  # (..., K, H * W) -> (..., K, H, W)

    def targets(self, data_samples: Sequence) -> tuple[Tensor, Tensor]:
        """Target heatmaps (B, K, H, W) and keypoint weights (B, K) of MMPose's data samples."""
        return heatmap_targets(data_samples)

    def loss_of(self, raw: Tensor, targets: tuple[Tensor, Tensor]) -> Tensor:
        """The loss of one cycle's heatmaps (B, K, H, W)."""
        return self.loss_module(raw, *targets)

    def accuracy(self, prediction: Tensor, targets: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        """``acc_pose``: the share of keypoints whose peak is near its target's."""
        heatmaps, weight = targets
        return dict(acc_pose=heatmap_pck(prediction, heatmaps, weight > 0))

    def predict(self, feats: Any, batch_data_samples: Sequence, test_cfg: dict | None = None) -> Any:
        """As ``HeatmapHead.predict``, with ``keypoint_visibility`` (1, K) where the head predicts it."""
        test_cfg = test_cfg or {}
        if test_cfg.get('flip_test', False) and test_cfg.get('flip_mode', 'heatmap') == 'heatmap':
            order = batch_data_samples[0].metainfo['flip_indices']
            maps, mirrored = (self.forward(view) for view in feats)
            mean = mean_with_mirror(maps, mirrored, order, test_cfg.get('shift_heatmap', False))
            single = {**test_cfg, 'flip_test': False}
            predicted = HeatmapHead.predict(with_forward_of(self, mean), None, batch_data_samples, single)
        else:
            predicted = super().predict(feats, batch_data_samples, test_cfg)
        return self.add_beside(predicted, feats, batch_data_samples, test_cfg)
