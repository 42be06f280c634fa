"""What the losses of poses compare with: targets and weights of a batch of MMPose's data samples.

Shapes: B batch, K keypoints, H and W the heatmap size.
"""

from collections.abc import Sequence

import torch
from torch import Tensor


def heatmap_targets(data_samples: Sequence) -> tuple[Tensor, Tensor]:
    """Target heatmaps (B, K, H, W) and keypoint weights (B, K)."""
    heatmaps = torch.stack([sample.gt_fields.heatmaps for sample in data_samples])  # (B, K, H, W)
    return heatmaps, _weights(data_samples)


def coordinate_targets(data_samples: Sequence) -> tuple[Tensor, Tensor]:
    """Coordinates over the image size (B, K, 2) and keypoint weights (B, K)."""
    labels = [sample.gt_instance_labels.keypoint_labels for sample in data_samples]
    return torch.cat(labels), _weights(data_samples)  # (1, K, 2) each -> (B, K, 2)


def _weights(data_samples: Sequence) -> Tensor:
    return torch.cat([sample.gt_instance_labels.keypoint_weights for sample in data_samples])  # (1, K) each -> (B, K)
