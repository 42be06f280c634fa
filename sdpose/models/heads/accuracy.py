"""Training accuracy, computed where the predictions lie: nothing is copied to the host but the one number.

Shapes: B batch, K keypoints, H and W the heatmap size.
"""

import torch
from torch import Tensor


@torch.no_grad()
def coordinate_pck(output: Tensor, target: Tensor, visible: Tensor, threshold: float = 0.05) -> Tensor:
    """Share of keypoints within ``threshold`` of the target, averaged over the joints that are present.

    The same number as MMPose's ``keypoint_pck_accuracy`` with a norm of 1.

    Args:
        output: Predicted coordinates, (B, K, 2).
        target: Target coordinates, (B, K, 2).
        visible: Which keypoints count, (B, K), bool.
        threshold: Largest distance that counts as right, in the unit of the coordinates.

    Returns:
        A scalar on the device of ``output``; 0 if no keypoint is visible.
    """
    distance = (output - target).norm(dim=-1)  # (B, K)
    hits = ((distance < threshold) & visible).sum(dim=0).float()
    count = visible.sum(dim=0)
    return (hits / count.clamp(min=1)).sum() / (count > 0).sum().clamp(min=1)


@torch.no_grad()
def vector_pck(
    output: tuple[Tensor, Tensor], target: tuple[Tensor, Tensor], visible: Tensor, threshold: float = 0.05
) -> Tensor:
    """:func:`coordinate_pck` of the highest cells of SimCC's vectors, in image sizes.

    Args:
        output: Vectors (B, K, X) and (B, K, Y).
        target: Likewise.
        visible: Which keypoints count, (B, K), bool.
        threshold: Largest distance that counts as right, in image sizes.
    """
    return coordinate_pck(_highest(output), _highest(target), visible, threshold)


def _highest(vectors: tuple[Tensor, Tensor]) -> Tensor:
    """(x, y) of the highest cells, over the vectors' lengths, (B, K, 2)."""
    return torch.stack([vector.argmax(-1) / vector.shape[-1] for vector in vectors], dim=-1)


def peak(heatmaps: Tensor) -> Tensor:
    """(x, y) of each heatmap's maximum, (B, K, 2); (-1, -1) where no value is positive."""
    value, index = heatmaps.flatten(2).max(dim=2)  # (B, K, H * W) -> (B, K) each
    width = heatmaps.shape[-1]
    position = torch.stack([index % width, index // width], dim=-1).float()  # (B, K, 2)
    return position.masked_fill(value[..., None] <= 0, -1.0)


@torch.no_grad()
def heatmap_pck(output: Tensor, target: Tensor, visible: Tensor, threshold: float = 0.05) -> Tensor:
    """:func:`coordinate_pck` of the peaks of two batches of heatmaps (B, K, H, W), in heatmap sizes.

    The same number as MMPose's ``pose_pck_accuracy``, which divides x by the height and y by the width.
    """
    return coordinate_pck(_peak_in_sizes(output), _peak_in_sizes(target), visible, threshold)


def _peak_in_sizes(heatmaps: Tensor) -> Tensor:
    """(x / H, y / W) of each heatmap's maximum, (B, K, 2)."""
    # By numbers, not by a tensor of the two: making one on a GPU has the host wait for it.
    return torch.stack([each / size for each, size in zip(peak(heatmaps).unbind(-1), heatmaps.shape[-2:])], dim=-1)
