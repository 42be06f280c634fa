"""What heads of key points share: an optional visibility per joint, and what is predicted beside places and scores.

Shapes: B batch, K keypoints, D token width.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.structures import InstanceData
from torch import Tensor

from sdpose.structures import SIGMAS, VISIBILITY, CycleTokens

from .base import CycleHead
from .visibility import TokenVisibility, visibility_labels


class PoseHead(CycleHead):
    """A head of key points over query tokens.

    Attributes:
        visibility: What tells whether joints can be seen; None for a head that does not.
    """

    visibility: TokenVisibility | None

    def set_visibility(self, in_channels: int, options: Mapping[str, Any] | None) -> None:
        """Build the visibility output.

        Args:
            in_channels: Token width D.
            options: Of :class:`TokenVisibility`, such as ``dict(loss_weight=0.005)``; None for none.
        """
        self.visibility = None if options is None else TokenVisibility(in_channels, **options)

    @property
    def reports(self) -> tuple[str, ...]:
        """The names of what :meth:`beside` predicts, in its order."""
        return () if self.visibility is None else (VISIBILITY,)

    def beside(self, feats: CycleTokens) -> dict[str, Tensor]:
        """What is predicted beside places and scores of key points, by its name, of the deployed cycle.

        ``keypoint_visibility``: (B, K), the probability that a joint can be seen.
        """
        return {} if self.visibility is None else {VISIBILITY: self.visibility(feats.output.query).sigmoid()}

    def losses(
        self, raw: dict[int, Tensor], feats: CycleTokens, data_samples: Sequence, train_cfg: dict | None = None
    ) -> dict[str, Tensor]:
        """As :meth:`CycleHead.losses`, and the loss of the visibility in every supervised cycle."""
        losses = super().losses(raw, feats, data_samples, train_cfg)
        if self.visibility is not None:
            labels = visibility_labels(data_samples)
            for cycle, name in self.supervised(feats).items():
                loss = self.visibility.loss(feats.cycles[cycle].query, labels)
                weight = self.weight_of(cycle, len(feats.cycles))
                losses[name.replace(self.loss_name, 'loss_visibility')] = weight * loss
        return losses

    def add_beside(self, predicted: Any, feats: Any, data_samples: Sequence, test_cfg: Mapping | None) -> Any:
        """Write what :meth:`beside` predicts into what a head's ``predict`` returns.

        Args:
            predicted: Instances, or a tuple of instances and fields.
            feats: The tokens, or those of the image and of its mirror image.
            data_samples: One MMPose data sample per image.
            test_cfg: ``flip_test`` averages with the mirror image.
        """
        views = feats if (test_cfg or {}).get('flip_test', False) else [feats]
        instances = predicted[0] if isinstance(predicted, tuple) else predicted
        write_beside(instances, [self.beside(each) for each in views], data_samples)
        return predicted


def write_beside(instances: Sequence[InstanceData], views: Sequence[dict[str, Tensor]], data_samples: Sequence) -> None:
    """Write values of joints into the instances of a batch, one person each.

    Args:
        instances: What is written into: ``keypoint_visibility`` (1, K), and ``keypoint_sigmas`` (1, K, 2) in pixels of
            the picture, or of the crop where a sample does not say which region of a picture it is.
        views: By name, values of the image (B, K, ...), and where there are two, those of its mirror image: of both
            the mean is written, left and right joints of the second exchanged. Sigmas are in sizes of the crop.
        data_samples: One data sample per image.
    """
    for name, value in views[0].items():
        if len(views) > 1:
            order = torch.as_tensor(data_samples[0].metainfo['flip_indices'], device=value.device)
            value = (value + views[1][name][:, order]) / 2
        for instance, each, sample in zip(instances, value.detach().cpu().numpy(), data_samples):
            if name == SIGMAS:
                region = sample.metainfo.get('input_scale', sample.metainfo['input_size'])
                each = each * np.asarray(region, each.dtype)
            instance.set_field(each[None], name)
