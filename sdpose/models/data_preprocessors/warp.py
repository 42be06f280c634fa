"""The affine crop of a whole batch, on the device, from parts of pictures of any size.

The parts lie one after the other in one tensor, so that they travel in one copy, and each pixel of the input gathers
the four of its part around it. In single precision whatever autocast says: half precision has no pixel beyond 2048 with
an odd number, and some processors lack its kernels.

Shapes: B batch, h and w a part's size, H and W the input's, N pixels of all parts.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


def warp(
    parts: Sequence[Tensor],
    matrices: np.ndarray,
    size: tuple[int, int],
    device: torch.device,
    non_blocking: bool = False,
) -> Tensor:
    """Sample parts of pictures bilinearly, with black around them, as ``cv2.warpAffine`` does.

    Args:
        parts: uint8, (3, h, w) each; those that are (h, w, 3) in memory are not copied before they travel.
        matrices: From pixels (x, y) of the input to those of each part, (B, 2, 3), float32.
        size: (W, H) of the input.
        device: Where they go.
        non_blocking: Whether the host goes on while they do.

    Returns:
        (B, 3, H, W), float32, 0 to 255.
    """
    sizes = [tuple(part.shape[-2:]) for part in parts]
    pixels = torch.cat([part.permute(1, 2, 0).reshape(-1, 3) for part in parts])  # (N, 3)
    # Per part its matrix, size, and the place of its first pixel: one small tensor, exact up to 16 million pixels each.
    first = np.cumsum([0, *(height * width for height, width in sizes)])[:-1]
    facts = np.column_stack([matrices.reshape(-1, 6), sizes]).astype(np.float32)
    if device.type == 'cuda':
        pixels = pixels.pin_memory()
    pixels = pixels.to(device, non_blocking=non_blocking)
    table = torch.from_numpy(facts).to(device, non_blocking=non_blocking)
    start = torch.from_numpy(first).to(device, non_blocking=non_blocking)
    with torch.autocast(device.type, enabled=False):
        return _sample(pixels, table[:, :6].unflatten(1, (2, 3)), table[:, 6:].long(), start, size)


def _sample(pixels: Tensor, matrices: Tensor, sizes: Tensor, start: Tensor, size: tuple[int, int]) -> Tensor:
    """Gather and mix.

    Args:
        pixels: (N, 3), uint8.
        matrices: (B, 2, 3).
        sizes: (h, w) of each part, (B, 2).
        start: Place of each part's first pixel (B,).
        size: (W, H).
    """
    width, height = size
    u = torch.arange(width, dtype=torch.float32, device=pixels.device)
    v = torch.arange(height, dtype=torch.float32, device=pixels.device)[:, None]
    (m, n, o), (p, q, r) = (row.unbind(-1) for row in matrices[..., None, None, :].unbind(1))  # each (B, 1, 1)
    x, y = m * u + n * v + o, p * u + q * v + r  # (B, H, W)
    left, top = x.floor(), y.floor()
    right_share, low_share = x - left, y - top
    image = torch.zeros(*x.shape, 3, device=pixels.device)
    for down in (0, 1):
        for right in (0, 1):
            column, row = left.long() + right, top.long() + down
            weight = (right_share if right else 1 - right_share) * (low_share if down else 1 - low_share)
            is_inside = (
                (column >= 0) & (column < sizes[:, 1, None, None]) & (row >= 0) & (row < sizes[:, 0, None, None])
            )
            place = start[:, None, None] + row * sizes[:, 1, None, None] + column
            found = pixels[place.where(is_inside, 0)].float()  # (B, H, W, 3)
            image += found * (weight * is_inside)[..., None]
    return image.permute(0, 3, 1, 2).contiguous()
