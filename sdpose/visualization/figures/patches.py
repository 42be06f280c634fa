"""Which patches of a crop survive pruning, stage by stage (PPT, section 3.2).

Shapes: h and w the size of a crop in pixels, rows and columns those of its grid of patches.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from .base import SMALL, new_figure, show_crop

PRUNED, KEPT, FUSED = 0, 1, 2
_SIDE = 2.1
_SHADE, _FUSED = (0.36, 0.16, 0.53, 0.85), '#ff9f1c'  # of a color that photographs rarely have


def draw_patches(crop: np.ndarray, cycles: Mapping[str, Mapping[str, np.ndarray]], title: str, of: str) -> Figure:
    """A row per cycle, a panel per stage; what was pruned is violet, a patch that stands for others is framed.

    Args:
        crop: (h, w, 3), uint8 RGB.
        cycles: For each cycle, for each stage by its name, a grid (rows, columns) of ``PRUNED``, ``KEPT``, ``FUSED``.
        title: The heading.
        of: The model.
    """
    columns = max(map(len, cycles.values()))
    longer = max(crop.shape[:2])
    width, height = _SIDE * crop.shape[1] / longer, _SIDE * crop.shape[0] / longer
    figure = new_figure(max(4.0, columns * (width + 0.1) + 0.4), len(cycles) * (height + 0.4) + 0.1, title, of)
    grid = figure.subplots(len(cycles), columns, squeeze=False)
    for row, (name, stages) in zip(grid, cycles.items()):
        row[0].set_ylabel(name, fontsize=SMALL + 2)
        for axes in row[len(stages) :]:
            axes.set_axis_off()
        for axes, (stage, state) in zip(row, stages.items()):
            left = np.count_nonzero(state)
            show_crop(axes, crop, f'{stage}\n{left} of {state.size}, {left / state.size:.0%}')
            _shade(axes, crop, state)
    return figure


def _shade(axes: Any, crop: np.ndarray, state: np.ndarray) -> None:
    """Cover pruned patches, and frame those that stand for others."""
    cover = np.zeros((*state.shape, 4))
    cover[state == PRUNED] = _SHADE
    axes.imshow(cover, extent=(0, crop.shape[1], crop.shape[0], 0), interpolation='nearest')
    height, width = crop.shape[0] / state.shape[0], crop.shape[1] / state.shape[1]
    for row, column in np.argwhere(state == FUSED):
        frame = Rectangle(
            (column * width, row * height), width, height, fill=False, edgecolor=_FUSED, linewidth=2, clip_on=False
        )
        axes.add_patch(frame)
