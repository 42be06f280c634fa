"""Coordinates as two vectors over keypoint tokens (SimCC, arXiv:2107.03332, on TokenPose's tokens as GTPT has it).

Shapes: B batch, K keypoints, D token width, X and Y cells along the width and the height of the image.
"""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.structures import InstanceData
from mmpose.models.heads.base_head import BaseHead
from mmpose.models.utils.tta import flip_vectors
from mmpose.registry import KEYPOINT_CODECS, MODELS
from torch import Tensor

from .accuracy import vector_pck
from .mlp import token_mlp, upcast_half
from .pose_head import PoseHead

Vectors = tuple[Tensor, Tensor]  # (B, K, X) and (B, K, Y)


@MODELS.register_module()
class TokenSimCCHead(PoseHead, BaseHead):
    """Maps every keypoint token to a vector over the columns and one over the rows by one linear behind a norm.

    The outputs are as high as the targets, 1 where a joint is (RTMPose's loss: both sides through a softmax of the same
    temperature), so that the smaller of two maxima is a score; the maximum of a softmax, which falls with the length of
    the vector, would be none.

    Args:
        in_channels: Token width D.
        decoder: The codec, MMPose's ``SimCCLabel`` with ``normalize=False``.
        supervise: ``'all'`` gives every cycle its loss, ``'last'`` the last cycle only; ``dict(gamma=...)`` lets the
            loss of cycle c count ``gamma ** (c - 1)``.
        loss: The loss of one cycle; RTMPose's ``KLDiscretLoss`` by default.
        visibility: Options of :class:`TokenVisibility` (``dict()`` for its defaults), with which the head also learns
            and predicts whether joints can be seen; None for a head that does not.
        init_cfg: Initialization; by default every linear from a truncated normal of std 0.02.

    Raises:
        ValueError: If ``supervise`` is unknown, or the codec is none of vectors as high as 1.
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
        super().__init__(init_cfg or dict(type='TruncNormal', layer='Linear', std=0.02, bias=0))
        self.set_supervision(supervise)
        self.decoder: Any = KEYPOINT_CODECS.build(decoder)
        ratio = getattr(self.decoder, 'simcc_split_ratio', None)
        if ratio is None:  # it has no vectors
            raise ValueError(f'TokenSimCCHead needs the codec SimCCLabel, not {decoder.get("type")}')
        if self.decoder.smoothing_type != 'gaussian' or self.decoder.normalize:  # scores would be tiny
            raise ValueError(
                "TokenSimCCHead learns vectors as high as 1: give its SimCCLabel smoothing_type='gaussian' and "
                'normalize=False'
            )
        self.lengths = [round(side * ratio) for side in self.decoder.input_size]  # X, Y
        self.mlp = token_mlp(in_channels, 0, sum(self.lengths))
        self.set_visibility(in_channels, visibility)
        default_loss = dict(type='KLDiscretLoss', use_target_weight=True, beta=10.0, label_softmax=True)
        self.loss_module = MODELS.build(loss or default_loss)

    def outputs(self, query: Tensor) -> Tensor:
        """Both vectors (..., K, X + Y) of query tokens (..., K, D), in float32 under mixed precision too."""
        return upcast_half(self.mlp(query))

    def activate(self, raw: Tensor) -> Vectors:
        """The vectors (B, K, X) and (B, K, Y)."""
        columns, rows = raw.split(self.lengths, dim=-1)
        return columns, rows

    def targets(self, data_samples: Sequence) -> tuple[Vectors, Tensor]:
        """Target vectors (B, K, X) and (B, K, Y), and keypoint weights (B, K), of MMPose's data samples."""
        labels = [sample.gt_instance_labels for sample in data_samples]
        columns = torch.cat([label.keypoint_x_labels for label in labels])  # (1, K, X) each -> (B, K, X)
        rows = torch.cat([label.keypoint_y_labels for label in labels])
        return (columns, rows), torch.cat([label.keypoint_weights for label in labels])

    def loss_of(self, raw: Tensor, targets: tuple[Vectors, Tensor]) -> Tensor:
        """The loss of one cycle's outputs (B, K, X + Y): the mean over images, where MMPose's class sums them."""
        vectors, weight = targets
        return self.loss_module(self.activate(raw), vectors, weight) / len(raw)

    def accuracy(self, prediction: Vectors, targets: tuple[Vectors, Tensor]) -> dict[str, Tensor]:
        """``acc_pose``: the share of keypoints whose highest cells are near their target's."""
        vectors, weight = targets
        return dict(acc_pose=vector_pck(prediction, vectors, weight > 0))

    def predict(self, feats: Any, batch_data_samples: Sequence, test_cfg: dict | None = None) -> list[InstanceData]:
        """Keypoints in pixels of the input image, with their scores.

        Args:
            feats: The tokens (a ``CycleTokens``), or those of the image and of its mirror image.
            batch_data_samples: One MMPose data sample per image.
            test_cfg: ``flip_test`` averages the vectors with those of the mirror image, columns reversed, left and
                right joints exchanged.
        """
        if (test_cfg or {}).get('flip_test', False):
            plain, mirrored = (self.forward(each) for each in feats)
            back = flip_vectors(*mirrored, flip_indices=batch_data_samples[0].metainfo['flip_indices'])
            instances = self.decode(tuple((one + other) / 2 for one, other in zip(plain, back)))
        else:
            instances = self.decode(self.forward(feats))
        return self.add_beside(instances, feats, batch_data_samples, test_cfg)
