"""Histograms of a model's weights, layer by layer, of one or two checkpoints (SDPose, Fig. 2)."""

from collections.abc import Mapping, Sequence
from math import ceil, isnan
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from .base import COLORS, SMALL, new_figure

_PANEL = (2.3, 1.7)
_COLUMNS = 5


class Histogram(NamedTuple):
    """The weights of one layer of one checkpoint.

    Attributes:
        edges: Of the bins, one more than there are bins.
        shares: Of the weights, in each bin.
        near_zero: The share within the limit around zero.
    """

    edges: np.ndarray
    shares: np.ndarray
    near_zero: float


def draw_histograms(
    layers: Mapping[str, Sequence[Histogram]], names: Sequence[str], limit: float, title: str, of: str
) -> Figure:
    """One panel per layer, the checkpoints over each other.

    Args:
        layers: For each layer by its name, one histogram per checkpoint; NaN where a checkpoint lacks the layer.
        names: Of the checkpoints.
        limit: What counts as near zero; drawn as a band.
        title: The heading.
        of: The model.
    """
    columns = min(_COLUMNS, len(layers))
    rows = ceil(len(layers) / columns)
    scale = 2.0 if len(layers) == 1 else 1.0
    size = max(4.5, scale * columns * _PANEL[0]), scale * rows * _PANEL[1] + 0.5
    figure = new_figure(*size, title, of)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, (layer, histograms) in zip(grid, layers.items()):
        axes.axvspan(-limit, limit, color='0.9', linewidth=0)
        for histogram, color in zip(histograms, COLORS):
            if not isnan(histogram.near_zero):
                axes.stairs(histogram.shares, histogram.edges, color=color, fill=True, alpha=0.35)
                axes.stairs(histogram.shares, histogram.edges, color=color, linewidth=0.9)
        said = ' | '.join('-' if isnan(each.near_zero) else f'{each.near_zero:.0%}' for each in histograms)
        axes.set_title(f'{layer}\n{said} near zero', fontsize=SMALL, pad=3)
        axes.set_yticks([])
        axes.tick_params(labelsize=SMALL - 1)
        axes.margins(x=0)
        axes.locator_params('x', nbins=4)
    for axes in grid[len(layers) :]:
        axes.set_axis_off()
    handles = [grid[0].fill_between([], [], color=color, alpha=0.5, label=name) for name, color in zip(names, COLORS)]
    figure.legend(handles=handles, loc='outside lower center', ncols=1, fontsize=SMALL, frameon=False)
    return figure
