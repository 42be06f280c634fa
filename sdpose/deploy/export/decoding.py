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

from ..runtime import HEATMAP_CODECS, UDP_CODEC

# (dx, dy) around the maximum: itself, the neighbours, the next but one, the diagonals.
_NEAR = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))
_WINDOW = (*_NEAR, (2, 0), (-2, 0), (0, 2), (0, -2), (1, 1), (1, -1), (-1, 1), (-1, -1))
_FLOOR = 1e-10  # of the logarithm, as MMPose's
_UDP_RANGE = (1e-3, 50.0)  # of what UDP takes the logarithm of
_UDP_CURVATURE = torch.finfo(torch.float32).eps  # added to second derivatives, as MMPose does
_BLUR = 'blur_'  # how the names of a decoder's buffers begin
SPLIT = 2  # cells of a SimCC vector per pixel, which rtmlib's RTMPose class takes for granted

Around = Callable[[int, int], Tensor]


class HeatmapDecoder(nn.Module):
    """``MSRAHeatmap.decode`` or ``UDPHeatmap.decode`` for a batch: the maximum and its refinement.

    It is refined by DARK if the codec is unbiased, by UDP's form of DARK, or by a quarter of a cell. The whole map is
    blurred, not the window alone, because MMPose scales the blurred map to the old maximum before it takes the
    logarithm. Conditions are products with 0 or 1, so that :class:`ComparingDecoder` shares the arithmetic.

    Args:
        codec: The config of the codec.

    Raises:
        ConfigError: If it is another codec.
    """

    def __init__(self, codec: dict[str, Any]) -> None:
        super().__init__()
        kind = codec.get('type')
        if kind not in (*HEATMAP_CODECS, UDP_CODEC) or codec.get('heatmap_type', 'gaussian') != 'gaussian':
            raise ConfigError(
                f'--outputs: the codec {kind} is not decoded inside a graph, {HEATMAP_CODECS[0]} and {UDP_CODEC} (with '
                'Gaussians) are; export with --outputs heatmaps and decode on the device'
            )
        self.codec = codec
        width, height = codec['heatmap_size']
        self.size = (int(width), int(height))
        self.udp = kind == UDP_CODEC
        self.unbiased = bool(codec.get('unbiased', False))
        # How far inside of the map the window's centre is kept; UDP repeats the values at the border instead.
        self.margin = 0 if self.udp else 2 if self.unbiased else 1
        length = int(codec.get('blur_kernel_size', 11))
        kernel = torch.from_numpy(cv2.getGaussianKernel(length, 0)).float()[:, 0]
        self.blur_columns: Tensor
        self.blur_rows: Tensor
        self.register_buffer('blur_columns', kernel.reshape(1, 1, length, 1))
        self.register_buffer('blur_rows', kernel.reshape(1, 1, 1, length))
        # The first and the last cell of UDP are the edges of the image.
        cells = [side - self.udp for side in self.size]
        scale = torch.tensor([side / count for side, count in zip(codec['input_size'], cells)])
        self.pixel: Tensor
        self.register_buffer('pixel', scale.float())
        offsets = torch.tensor(_WINDOW if self.udp or self.unbiased else _NEAR)
        self.window: Tensor
        self.register_buffer('window', offsets.T.contiguous())  # (2, 13 or 5)

    def forward(self, heatmaps: Tensor) -> tuple[Tensor, Tensor]:
        """Joints in pixels of the image (B, K, 2) and scores (B, K), of heatmaps (B, K, H, W)."""
        scores, column, row = self._peak(heatmaps)
        found = self._sign(scores).clamp(min=0)[..., None]
        refine = self._udp if self.udp else self._dark if self.unbiased else self._quarter
        dx, dy = refine(heatmaps, scores, column, row)
        x, y = (cell.to(scores.dtype)[..., None] for cell in (column, row))
        place = torch.cat([x + dx[..., None], y + dy[..., None]], dim=-1)  # (B, K, 2)
        return (place * found + (found - 1)) * self.pixel, scores  # MMPose says -1 for nothing found

    def _peak(self, heatmaps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The maximum of each map and the first column and row where it stands, row by row, (B, K) each."""
        flat = heatmaps.flatten(2)  # (B, K, H * W)
        index = flat.argmax(dim=-1)
        return flat.amax(dim=-1), index % self.size[0], torch.div(index, self.size[0], rounding_mode='floor')

    def _blurred(self, heatmaps: Tensor, scores: Tensor) -> Tensor:
        """The blurred maps (B, K, H, W), black outside, as high as the scores (B, K)."""
        blurred = self._blur(heatmaps)
        top = blurred.amax(dim=(2, 3))
        return blurred * (scores / (top + self._is_zero(top)))[..., None, None]

    def _blur(self, heatmaps: Tensor) -> Tensor:
        """The blurred maps (B, K, H, W)."""
        width, height = self.size
        single = heatmaps.reshape(-1, 1, height, width)  # (B * K, 1, H, W)
        half = self.blur_rows.shape[-1] // 2
        blurred = F.conv2d(F.conv2d(single, self.blur_columns, padding=(half, 0)), self.blur_rows, padding=(0, half))
        return blurred.reshape(-1, heatmaps.shape[1], height, width)  # (B, K, H, W)

    def _dark(self, heatmaps: Tensor, scores: Tensor, column: Tensor, row: Tensor) -> tuple[Tensor, Tensor]:
        """The Taylor step from the maximum of the blurred map's logarithm, in cells, (B, K) each."""
        at = self._around(self._blurred(heatmaps, scores).clamp(min=_FLOOR).log(), column, row)
        dx, dy = 0.5 * (at(1, 0) - at(-1, 0)), 0.5 * (at(0, 1) - at(0, -1))
        dxx = 0.25 * (at(2, 0) - 2 * at(0, 0) + at(-2, 0))
        dyy = 0.25 * (at(0, 2) - 2 * at(0, 0) + at(0, -2))
        dxy = 0.25 * (at(1, 1) - at(1, -1) - at(-1, 1) + at(-1, -1))
        inside = self._between(column, 1, self.size[0] - 2) * self._between(row, 1, self.size[1] - 2)
        return self._newton((dx, dy), (dxx, dyy, dxy), inside.to(dx.dtype))

    def _udp(self, heatmaps: Tensor, scores: Tensor, column: Tensor, row: Tensor) -> tuple[Tensor, Tensor]:
        """UDP's form of it, which goes up to the border, (B, K) each."""
        at = self._around(self._blurred(heatmaps, scores).clamp(*_UDP_RANGE).log(), column, row)
        dx, dy = 0.5 * (at(1, 0) - at(-1, 0)), 0.5 * (at(0, 1) - at(0, -1))
        dxx = at(1, 0) - 2 * at(0, 0) + at(-1, 0) + _UDP_CURVATURE
        dyy = at(0, 1) - 2 * at(0, 0) + at(0, -1) + _UDP_CURVATURE
        dxy = 0.5 * (at(1, 1) - at(1, 0) - at(0, 1) + 2 * at(0, 0) - at(-1, 0) - at(0, -1) + at(-1, -1))
        return self._newton((dx, dy), (dxx, dyy, dxy), torch.ones_like(dx))

    def _newton(self, slope: tuple[Tensor, ...], curvature: tuple[Tensor, ...], where: Tensor) -> tuple[Tensor, Tensor]:
        """Steps (B, K) to where a parabola is flat, 0 where it has no such place or ``where`` is 0.

        Args:
            slope: In x and y, (B, K) each.
            curvature: In xx, yy and xy, (B, K) each.
            where: (B, K), 1 or 0.
        """
        (dx, dy), (dxx, dyy, dxy) = slope, curvature
        det = dxx * dyy - dxy * dxy
        flat = self._is_zero(det)
        where, safe = where * (1 - flat), det + flat
        return (dxy * dy - dyy * dx) * where / safe, (dxy * dx - dxx * dy) * where / safe

    def _quarter(self, heatmaps: Tensor, scores: Tensor, column: Tensor, row: Tensor) -> tuple[Tensor, Tensor]:
        """A quarter of a cell towards the higher neighbour, (B, K) each."""
        width, height = self.size
        at = self._around(heatmaps, column, row)
        dx, dy = self._sign(at(1, 0) - at(-1, 0)), self._sign(at(0, 1) - at(0, -1))
        in_x = self._between(column, 1, width - 1) * row.clamp(0, 1)
        in_y = self._between(row, 1, height - 1) * column.clamp(0, 1)
        return dx * 0.25 * in_x.to(dx.dtype), dy * 0.25 * in_y.to(dy.dtype)

    def _around(self, maps: Tensor, column: Tensor, row: Tensor) -> Around:
        """Reads maps (B, K, H, W) at so many cells from maxima (B, K), kept inside of the map by the margin."""
        columns, rows = (
            self._kept(cell, side)[..., None] + steps
            for cell, side, steps in zip((column, row), self.size, self.window)
        )
        if self.udp:
            columns, rows = columns.clamp(0, self.size[0] - 1), rows.clamp(0, self.size[1] - 1)
        values = maps.flatten(2).gather(-1, rows * self.size[0] + columns)  # (B, K, 13 or 5)
        return lambda dx, dy: values[..., _WINDOW.index((dx, dy))]

    def _kept(self, cell: Tensor, side: int) -> Tensor:
        """A column or row (B, K) as the centre of a window."""
        return cell.clamp(self.margin, side - 1 - self.margin)

    def _sign(self, value: Tensor) -> Tensor:
        """1, 0 or -1."""
        return value.sign()

    def _is_zero(self, value: Tensor) -> Tensor:
        """1 where a value is 0, else 0."""
        return 1 - self._sign(value).abs()

    @staticmethod
    def _between(cell: Tensor, low: int, high: int) -> Tensor:
        """1 where a column or row lies between two others, else 0."""
        return (cell - low).clamp(0, 1) * (high - cell).clamp(0, 1)


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


def decoding_nodes(model: Any) -> list[str]:
    """The names of an ONNX graph's convolutions that blur heatmaps, which no precision but the full one may touch."""
    return [node.name for node in model.graph.node if any(_BLUR in name for name in node.input)]
