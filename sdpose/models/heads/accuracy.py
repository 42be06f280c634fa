"""Training accuracy of heatmaps, computed where the heatmaps lie.

Shapes: B batch, K keypoints, H and W the heatmap size.
"""
import torch
from torch import Tensor


def peak(heatmaps: Tensor) -> Tensor:
    """(x, y) of each heatmap's maximum, (B, K, 2); (-1, -1) where no value is positive."""
    value, index = heatmaps.flatten(2).max(dim=2)
    width = heatmaps.shape[-1]
    position = torch.stack([index % width, index // width], dim=-1).float()
    return position.masked_fill(value[..., None] <= 0, -1.)


@torch.no_grad()
def heatmap_pck(output: Tensor, target: Tensor, visible: Tensor, threshold: float = 0.05) -> Tensor:
    """Share of keypoints whose peak lies within ``threshold`` of the target's, averaged over the joints present.

    The same number as MMPose's ``pose_pck_accuracy`` (which divides x by the height and y by the width), without
    copying two batches of heatmaps to the host at every step.

    Args:
        output: predicted heatmaps, (B, K, H, W).
        target: target heatmaps, (B, K, H, W).
        visible: which keypoints count, (B, K), bool.
        threshold: distance in heatmap sizes.

    Returns:
        A scalar on the device of ``output``; 0 if no keypoint is visible.
    """
    size = torch.tensor(output.shape[-2:], device=output.device)
    distance = ((peak(output) - peak(target)) / size).norm(dim=-1)  # (B, K)
    hits = ((distance < threshold) & visible).sum(dim=0).float()
    count = visible.sum(dim=0)
    present = (count > 0).sum()
    return (hits / count.clamp(min=1)).sum() / present.clamp(min=1)
