"""Decoding without argmax and gather, for runtimes that know neither: places by comparison, windows by products.

Shapes: B batch, K joints, H and W the size of a heatmap.
"""

import copy
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .decoding import Around, HeatmapDecoder
from .ranking import steep_sign

_REACH = 2  # cells that a window reaches from its centre

_Module = TypeVar('_Module', bound=nn.Module)


class ComparingDecoder(HeatmapDecoder):
    """The same joints as :class:`HeatmapDecoder` gives, of one image, in float32.

    No tensor has a joint in the place of the batch, and nothing is compared, chosen or looked up: ncnn has no word for
    that.
    """

    def _peak(self, heatmaps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As :meth:`HeatmapDecoder._peak`; the first row with the maximum, and in it the first column."""
        rows = heatmaps.amax(dim=3)  # (B, K, H)
        scores = rows.amax(dim=2, keepdim=True)  # (B, K, 1)
        row = self._first(rows, scores)
        found = one_hot(row, heatmaps.shape[2])[:, :, None] @ heatmaps  # (B, K, 1, H) @ (B, K, H, W)
        column = self._first(found.flatten(2), scores)
        return scores[..., 0], column[..., 0], row[..., 0]

    def _first(self, values: Tensor, top: Tensor) -> Tensor:
        """Where the maximum (B, K, 1) of values (B, K, N) stands first, (B, K, 1)."""
        count = values.shape[2]
        left = torch.arange(count, 0, -1, dtype=values.dtype, device=values.device)
        return count - (left * self._is_zero(values - top)).amax(dim=2, keepdim=True)

    def _blur(self, heatmaps: Tensor) -> Tensor:
        """As :meth:`HeatmapDecoder._blur`, joint by joint as channels."""
        joints, half = heatmaps.shape[1], self.blur_rows.shape[-1] // 2
        columns, rows = (each.repeat(joints, 1, 1, 1) for each in (self.blur_columns, self.blur_rows))
        blurred = F.conv2d(heatmaps, columns, padding=(half, 0), groups=joints)
        return F.conv2d(blurred, rows, padding=(0, half), groups=joints)

    def _around(self, maps: Tensor, column: Tensor, row: Tensor) -> Around:
        """As :meth:`HeatmapDecoder._around`."""
        steps = torch.arange(-_REACH, _REACH + 1, dtype=maps.dtype, device=maps.device)
        columns, rows = (
            one_hot((self._kept(cell, side)[..., None] + steps).clamp(0, side - 1), side)  # (B, K, 5, side)
            for cell, side in zip((column, row), self.size)
        )
        window = rows @ maps @ columns.transpose(2, 3)  # (B, K, 5, H) @ (B, K, H, W) @ (B, K, W, 5)
        return lambda dx, dy: window[:, :, dy + _REACH, dx + _REACH]

    def _sign(self, value: Tensor) -> Tensor:
        """1, 0 or -1."""
        return steep_sign(value)


def one_hot(places: Tensor, count: int) -> Tensor:
    """1 at each of the whole numbers (B, K, N), else 0: (B, K, N, count), or (B, K, count) of a single one."""
    cells = torch.arange(count, dtype=places.dtype, device=places.device)
    places = places if places.shape[2] == 1 else places[..., None]
    return (1 - (cells - places).abs()).clamp(0, 1)


def compared(graph: _Module) -> _Module:
    """A copy of a graph that decodes by comparison; itself if it decodes no heatmaps."""
    decoder = getattr(graph, 'decoder', None)
    if not isinstance(decoder, HeatmapDecoder):
        return graph
    graph = copy.deepcopy(graph)
    graph.decoder = ComparingDecoder(decoder.codec)
    return graph
