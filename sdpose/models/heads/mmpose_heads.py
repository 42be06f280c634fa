"""What MMPose's own heads lose in training, without a word from the device to the host.

Shapes: B batch, K keypoints, H and W the heatmap size.
"""

import copy
from collections.abc import Sequence
from typing import Any

import torch
from mmpose.models.heads import HeatmapHead, RLEHead
from torch import Tensor

from .accuracy import coordinate_pck, heatmap_pck
from .mlp import upcast_half
from .targets import coordinate_targets, heatmap_targets


def computes_accuracy_on_host(head: Any) -> bool:
    """Whether a head's own loss copies predictions to the host in every step; :func:`losses_on_device` does not."""
    return type(head).loss in (HeatmapHead.loss, RLEHead.loss)


def losses_on_device(head: Any, raw: Tensor, data_samples: Sequence, train_cfg: dict) -> dict[str, Tensor]:
    """The loss and the accuracy of such a head, the numbers of its own ``loss``.

    Args:
        head: MMPose's ``HeatmapHead`` or ``RLEHead``.
        raw: What its forward pass has returned: heatmaps (B, K, H, W), or coordinates and their sigmas (B, K, 4).
        data_samples: One MMPose data sample per image.
        train_cfg: ``compute_acc=False`` leaves the accuracy out.
    """
    of_maps = type(head).loss is HeatmapHead.loss
    target, weights = (heatmap_targets if of_maps else coordinate_targets)(data_samples)
    if of_maps:
        losses = with_forward_of(head, raw).loss(None, data_samples, train_cfg=dict(compute_acc=False))
    else:
        losses = dict(loss_kpt=_loss_of_coordinates(head, raw, target, weights))
    if train_cfg.get('compute_acc', True):
        accuracy = (
            heatmap_pck(raw, target, weights > 0) if of_maps else coordinate_pck(raw[..., :2], target, weights > 0)
        )
        losses['acc_pose'] = accuracy
    return losses


def with_forward_of(head: Any, raw: Any) -> Any:
    """A head of the same parameters whose forward pass has been computed, and is not again."""
    head = copy.copy(head)
    head.forward = lambda feats: raw
    return head


def _loss_of_coordinates(head: Any, raw: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """That of ``RLEHead``, which cannot leave its accuracy out; its flow does not run in half precision."""
    found = upcast_half(raw)
    with torch.autocast(raw.device.type, enabled=False):
        return head.loss_module(found[..., :2], found[..., 2:4], target, weights[..., None])
