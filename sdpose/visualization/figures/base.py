"""What every figure shares: its frame, maps over a crop, and a file that is whole or absent.

Shapes: h and w the size of a crop in pixels, rows and columns those of a grid of patches over it.
"""

from collections.abc import Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from sdpose.io.atomic import atomic_write

MAP = colormaps['turbo']
"""Colors of maps that lie over a crop."""
COLORS = ('#1f6f8b', '#b5541c', '#4c8c3f', '#7b4fa3', '#8a6d1f', '#a33b5e')
"""One for each of several curves, runs or methods."""
SMALL = 8
"""Points of the text within panels."""
_HEADING, _LETTERS = 11, 11  # points, and letters of that size in an inch
_DPI = 110  # pixels of an inch
_DIM = 0.35  # brightness that is left of a crop below a map
_ALPHA = 0.6
_GONE = (0.08, 0.08, 0.08, 1.0)  # what is no part of a map


def new_figure(width: float, height: float, title: str, of: str = '') -> Figure:
    """An empty figure.

    Args:
        width: In inches.
        height: In inches, without the heading.
        title: The heading, which is broken into lines that fit.
        of: What is shown, such as the model, in lines of its own.
    """
    lines = [line for text in (title, *of.splitlines()) for line in wrap(text, int(width * _LETTERS))]
    figure = Figure(figsize=(width, height + 0.2 * len(lines)), layout='constrained')
    figure.suptitle('\n'.join(lines), fontsize=_HEADING)
    return figure


def write_figure(figure: Figure, path: str | Path) -> None:
    """Write a figure as PNG, complete or not at all.

    Raises:
        OSError: If it cannot be written; its ``filename`` is the file.
    """
    with atomic_write(path) as file:
        figure.savefig(file, format='png', dpi=_DPI, bbox_inches='tight')  # constrained layout cuts long labels


def show_crop(axes: Any, crop: np.ndarray, title: str = '') -> None:
    """Show a crop (h, w, 3), uint8 RGB, without ticks."""
    axes.imshow(crop, extent=_extent(crop), interpolation='nearest')
    bare(axes, title)


def show_map(axes: Any, crop: np.ndarray, values: np.ndarray, title: str = '') -> None:
    """Show a map over a crop: from 0 in blue to its largest value in red, places that have no value in black.

    Args:
        axes: Of Matplotlib.
        crop: (h, w, 3), uint8 RGB.
        values: (rows, columns), not negative; NaN where there is none.
        title: Above the panel.
    """
    grey = np.repeat(crop.mean(axis=2, keepdims=True) / 255 * (1 - _DIM) + _DIM, 3, axis=2)
    axes.imshow(grey, extent=_extent(crop), interpolation='nearest')
    largest = np.nanmax(values)
    colors = MAP(np.nan_to_num(values / largest if largest > 0 else values))  # (rows, columns, 4)
    colors[..., 3] = _ALPHA
    colors[np.isnan(values)] = _GONE
    axes.imshow(colors, extent=_extent(crop), interpolation='nearest')
    axes.autoscale(False)  # what is marked may lie outside
    bare(axes, title)


def mark(axes: Any, x: float, y: float) -> None:
    """Mark a place of a crop, in its pixels, whose centres are whole numbers."""
    for color, width in (('black', 3), ('white', 1.5)):
        axes.plot(x + 0.5, y + 0.5, '+', color=color, markersize=7, markeredgewidth=width, clip_on=False)


def bare(axes: Any, title: str = '') -> None:
    """Leave out ticks, and write a small title."""
    axes.set_xticks([])
    axes.set_yticks([])
    if title:
        axes.set_title(title, fontsize=SMALL, pad=3)


def color_bar(figure: Figure, axes: Sequence[Any], label: str, colors: Any = MAP, most: float = 1.0) -> None:
    """A bar of colors from 0 to ``most`` beside all panels."""
    bar = figure.colorbar(
        ScalarMappable(Normalize(0, most), colors), ax=axes, shrink=0.6, aspect=30, fraction=0.03, pad=0.01
    )
    bar.set_label(label, fontsize=SMALL)
    bar.ax.tick_params(labelsize=SMALL)


def _extent(crop: np.ndarray) -> tuple[float, float, float, float]:
    """Left, right, bottom, top, so that a grid of any size covers the crop."""
    return 0, crop.shape[1], crop.shape[0], 0
