"""MMPose's decoding of heatmaps as part of a graph, so that a device gets joints.

Shapes: B batch, K joints, H and W the size of a heatmap, w and h that of the image in pixels.
"""

from collections.abc import Callable
from typing import Any

import cv2
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sdpose.errors import ConfigError

from ..runtime import HEATMAP_CODECS

# (dx, dy) around the maximum: itself, the neighbours, the next but one, the diagonals.
_NEAR = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))
_WINDOW = (*_NEAR, (2, 0), (-2, 0), (0, 2), (0, -2), (1, 1), (1, -1), (-1, 1), (-1, -1))
_FLOOR = 1e-10  # of the logarithm, as MMPose's
SPLIT = 2  # cells of a SimCC vector per pixel, which rtmlib's RTMPose class takes for granted


class HeatmapDecoder(nn.Module):
    """``MSRAHeatmap.decode`` for a batch: the maximum and its refinement, by DARK if the codec is unbiased.

    The whole map is blurred, not the window alone, because MMPose scales the blurred map to the old maximum before it
    takes the logarithm.

    Args:
        codec: The config of the codec.

    Raises:
        ConfigError: If it is another codec.
    """

    def __init__(self, codec: dict[str, Any]) -> None:
        super().__init__()
        if codec.get('type') not in HEATMAP_CODECS:
            raise ConfigError(
                f'--outputs: the codec {codec.get("type")} is not decoded inside a graph, MSRAHeatmap alone is; export '
                'with --outputs heatmaps and decode on the device'
            )
        width, height = codec['heatmap_size']
        self.size = (int(width), int(height))
        self.unbiased = bool(codec.get('unbiased', False))
        length = int(codec.get('blur_kernel_size', 11))
        kernel = torch.from_numpy(cv2.getGaussianKernel(length, 0)).float()[:, 0]
        self.blur_columns: Tensor
        self.blur_rows: Tensor
        self.register_buffer('blur_columns', kernel.reshape(1, 1, length, 1))
        self.register_buffer('blur_rows', kernel.reshape(1, 1, 1, length))
        scale = torch.tensor([codec['input_size'][0] / width, codec['input_size'][1] / height])
        self.pixel: Tensor
        self.register_buffer('pixel', scale.float())
        offsets = torch.tensor([dy * self.size[0] + dx for dx, dy in _WINDOW])
        self.window: Tensor
        self.register_buffer('window', offsets)

    def forward(self, heatmaps: Tensor) -> tuple[Tensor, Tensor]:
        """Joints in pixels of the image (B, K, 2) and scores (B, K), of heatmaps (B, K, H, W)."""
        width, height = self.size
        flat = heatmaps.flatten(2)  # (B, K, H * W)
        scores, index = flat.amax(dim=-1), flat.argmax(dim=-1)  # (B, K)
        x, y = index % width, torch.div(index, width, rounding_mode='floor')
        found = scores > 0
        refine = self._dark if self.unbiased else self._quarter
        dx, dy = refine(heatmaps, scores, x, y)
        place = torch.stack([x.to(scores.dtype) + dx, y.to(scores.dtype) + dy], dim=-1)  # (B, K, 2)
        place = torch.where(found[..., None], place, -1.0)  # MMPose's word for nothing found
        return place * self.pixel, scores

    def _dark(self, heatmaps: Tensor, scores: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """The Taylor step from the maximum of the blurred map's logarithm, in cells, (B, K) each."""
        width, height = self.size
        single = heatmaps.reshape(-1, 1, height, width)  # (B * K, 1, H, W)
        half = self.blur_rows.shape[-1] // 2
        blurred = F.conv2d(F.conv2d(single, self.blur_columns, padding=(half, 0)), self.blur_rows, padding=(0, half))
        blurred = blurred.reshape(-1, heatmaps.shape[1], height * width)  # (B, K, H * W)
        blurred = blurred * (scores / blurred.amax(dim=-1))[..., None]
        at = self._around(blurred.clamp(min=_FLOOR).log(), x, y)
        dx, dy = 0.5 * (at(1, 0) - at(-1, 0)), 0.5 * (at(0, 1) - at(0, -1))
        dxx = 0.25 * (at(2, 0) - 2 * at(0, 0) + at(-2, 0))
        dyy = 0.25 * (at(0, 2) - 2 * at(0, 0) + at(0, -2))
        dxy = 0.25 * (at(1, 1) - at(1, -1) - at(-1, 1) + at(-1, -1))
        det = dxx * dyy - dxy * dxy
        inside = (x > 1) & (x < width - 2) & (y > 1) & (y < height - 2) & (det != 0)
        safe = torch.where(det != 0, det, 1.0)
        return (
            torch.where(inside, -(dyy * dx - dxy * dy) / safe, 0.0),
            torch.where(inside, -(dxx * dy - dxy * dx) / safe, 0.0),
        )

    def _quarter(self, heatmaps: Tensor, scores: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """A quarter of a cell towards the higher neighbour, (B, K) each."""
        width, height = self.size
        at = self._around(heatmaps.flatten(2), x, y)
        dx, dy = at(1, 0) - at(-1, 0), at(0, 1) - at(0, -1)
        dx = torch.where((x > 1) & (x < width - 1) & (y > 0), dx, 0.0)
        dy = torch.where((y > 1) & (y < height - 1) & (x > 0), dy, 0.0)
        return dx.sign() * 0.25, dy.sign() * 0.25

    def _around(self, flat: Tensor, x: Tensor, y: Tensor) -> Callable[[int, int], Tensor]:
        """Reads a map (B, K, H * W) at so many cells from a maximum (B, K), moved inwards where it is at the border."""
        width, height = self.size
        margin = 2 if self.unbiased else 1
        inner = y.clamp(margin, height - 1 - margin) * width + x.clamp(margin, width - 1 - margin)  # (B, K)
        steps = self.window if self.unbiased else self.window[: len(_NEAR)]
        values = flat.gather(-1, inner[..., None] + steps)  # (B, K, 13 or 5)
        return lambda dx, dy: values[..., _WINDOW.index((dx, dy))]


def one_hot(joints: Tensor, scores: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Joints as SimCC vectors of one cell each, as high as the score.

    Args:
        joints: In pixels, (B, K, 2).
        scores: (B, K).
        size: (w, h) of the image.

    Returns:
        (B, K, 2 w) and (B, K, 2 h).
    """
    vectors = []
    for axis, length in enumerate(size):
        cells = torch.arange(length * SPLIT, device=joints.device, dtype=joints.dtype)
        cell = (joints[..., axis] * SPLIT).round().clamp(0, length * SPLIT - 1)
        vectors.append((cells == cell[..., None]).to(scores.dtype) * scores[..., None])
    return vectors[0], vectors[1]
