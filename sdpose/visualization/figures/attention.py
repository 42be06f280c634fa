"""Attention of query tokens, by layer and cycle (SDPose, Fig. 4 and 5).

Shapes: h and w the size of a crop in pixels, rows and columns those of its grid of patches, K query tokens.
"""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any, NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from .base import SMALL, bare, color_bar, mark, new_figure, show_map

# Inches of the longer side of a crop, and of all panels side by side where there are few.
_SIDE, _LARGEST, _WIDTH = 1.45, 2.6, 9.0
_TICK, _WIDEST = 0.135, 3.2  # inches of a joint's row in a matrix, and of a matrix at most
_MATRICES = 6  # side by side, at most
_MATRIX = colormaps['viridis']


class Panel(NamedTuple):
    """One map.

    Attributes:
        name: The layer, or the joint.
        values: (rows, columns) over the crop, or (K, K); NaN where a patch was pruned.
        place: x and y of the joint in pixels of the crop; None to mark nothing.
    """

    name: str
    values: np.ndarray
    place: tuple[float, float] | None = None


def draw_maps(
    crop: np.ndarray, blocks: Mapping[str, Sequence[Panel]], title: str, of: str, columns: int = 12
) -> Figure:
    """Attention over the patches of a crop; each panel has colors of its own, up to the weight in its title.

    Args:
        crop: (h, w, 3), uint8 RGB.
        blocks: The panels of each cycle by its name, as many in all of them.
        title: The heading.
        of: The model.
        columns: Panels side by side, at most.
    """
    blocks = _in_one_row(blocks)
    count = max(map(len, blocks.values()))
    side = min(_LARGEST, max(_SIDE, _WIDTH / min(count, columns))) / max(crop.shape[:2])
    size = side * crop.shape[1] + 0.06, side * crop.shape[0] + 0.32
    figure, grid = _grid(blocks, columns, size, title, of)
    for axes, panel in _each(grid, blocks):
        show_map(axes, crop, panel.values, f'{panel.name}\nto {np.nanmax(panel.values):.2g}')
        if panel.place is not None:
            mark(axes, *panel.place)
    color_bar(figure, grid.ravel().tolist(), "share of the panel's largest weight")
    return figure


def draw_matrices(blocks: Mapping[str, Sequence[Panel]], names: Sequence[str], title: str, of: str) -> Figure:
    """Attention between query tokens: the row attends to the column; all panels have the same colors.

    Args:
        blocks: The panels (K, K) of each cycle by its name, as many in all of them.
        names: Of the query tokens.
        title: The heading.
        of: The model.
    """
    blocks = _in_one_row(blocks)
    side = min(_WIDEST, max(1.6, _TICK * len(names)))
    shown = range(0, len(names), ceil(_TICK * len(names) / side))  # as many names as there is room for
    most = max(float(panel.values.max()) for panels in blocks.values() for panel in panels)
    margin = _TICK * 0.5 * max(map(len, names))
    figure, grid = _grid(blocks, _MATRICES, (side + 0.1, side + 0.3), title, of, margin)
    size = min(SMALL - 1, 72 * side / len(shown) * 0.85)
    for axes, panel in _each(grid, blocks):
        axes.imshow(panel.values, cmap=_MATRIX, vmin=0, vmax=most, interpolation='nearest')
        share = panel.values.sum(axis=1).mean()
        bare(axes, f'{panel.name}: {share:.0%} to joints')
        if axes.get_subplotspec().is_first_col():
            axes.set_yticks(shown, [names[joint] for joint in shown], fontsize=size)
        below = axes.get_subplotspec().rowspan.stop
        if below == len(grid) or not grid[below, axes.get_subplotspec().colspan.start].axison:
            axes.set_xticks(shown, [names[joint] for joint in shown], fontsize=size, rotation=90)
    color_bar(figure, grid.ravel().tolist(), 'weight', _MATRIX, most)
    return figure


def _in_one_row(blocks: Mapping[str, Sequence[Panel]]) -> Mapping[str, Sequence[Panel]]:
    """Blocks of one panel each side by side."""
    if max(map(len, blocks.values())) > 1:
        return blocks
    return {'': [panel._replace(name=f'{name}, {panel.name}') for name, (panel,) in blocks.items()]}


def _grid(
    blocks: Mapping[str, Sequence[Any]],
    columns: int,
    size: tuple[float, float],
    title: str,
    of: str,
    margin: float = 0.0,
) -> tuple[Figure, np.ndarray]:
    """A figure with one or more rows of panels per block, and its axes (rows, columns); those left over are hidden.

    Args:
        blocks: The panels by the name of their block.
        columns: Panels side by side, at most.
        size: (w, h) of a panel in inches.
        title: The heading.
        of: The model.
        margin: Inches of the names of rows and columns.
    """
    count = max(map(len, blocks.values()))
    deep = ceil(count / columns)
    columns = ceil(count / deep)
    rows = deep * len(blocks)
    figure = new_figure(max(5.0, columns * size[0] + margin + 1.2), rows * size[1] + margin + 0.2, title, of)
    grid = figure.subplots(rows, columns, squeeze=False)
    for row, name in enumerate(name for name in blocks for _ in range(deep)):
        grid[row, 0].set_ylabel(name, fontsize=SMALL + 2)
    for place, axes in enumerate(grid.ravel()):
        if place % (deep * columns) >= count:
            axes.set_axis_off()
    return figure, grid


def _each(grid: np.ndarray, blocks: Mapping[str, Sequence[Panel]]) -> Sequence[tuple[Any, Panel]]:
    """The axes of every panel."""
    per_block = grid.reshape(len(blocks), -1)
    return [pair for axes, panels in zip(per_block, blocks.values()) for pair in zip(axes, panels)]
