"""Curves of trainings: one panel per quantity, runs in colors, cycles in line styles."""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any, NamedTuple

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from .base import COLORS, SMALL, new_figure

_PANEL = (3.4, 2.3)
_COLUMNS = 4
_STYLES: tuple[Any, ...] = ('-', '--', ':', '-.')


class Curve(NamedTuple):
    """One quantity of one run.

    Attributes:
        run: The run's number.
        cycle: The cycle that it is of, counted from 1; 0 if it is of none.
        x: Iterations, or epochs.
        y: As many values.
    """

    run: int
    cycle: int
    x: Sequence[float]
    y: Sequence[float]


def draw_curves(panels: Mapping[str, tuple[str, Sequence[Curve]]], runs: Sequence[str], title: str) -> Figure:
    """Draw them.

    Args:
        panels: For each quantity by its name, what the x axis counts, and the curves.
        runs: Names of the runs.
        title: The heading.
    """
    columns = min(_COLUMNS, len(panels))
    rows = ceil(len(panels) / columns)
    figure = new_figure(max(5.0, columns * _PANEL[0]), rows * _PANEL[1] + 0.4 + 0.2 * len(runs), title)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    cycles = sorted({curve.cycle for _, curves in panels.values() for curve in curves} - {0})
    for axes, (name, (unit, curves)) in zip(grid, panels.items()):
        for curve in curves:
            style = _STYLES[max(0, curve.cycle - 1) % len(_STYLES)]
            mark = 'o' if len(curve.x) == 1 or unit == 'epoch' else None
            color = COLORS[curve.run % len(COLORS)]
            axes.plot(curve.x, curve.y, style, color=color, linewidth=1.2, marker=mark, markersize=3)
        axes.set_title(name, fontsize=SMALL + 1, pad=3)
        axes.set_xlabel(unit, fontsize=SMALL)
        axes.tick_params(labelsize=SMALL - 1)
        axes.ticklabel_format(axis='y', style='sci', scilimits=(-3, 4))
        axes.yaxis.get_offset_text().set_fontsize(SMALL - 1)
        axes.grid(alpha=0.25)
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    marks = [Line2D([], [], color=COLORS[place % len(COLORS)], label=run) for place, run in enumerate(runs)]
    for cycle in cycles:
        style = _STYLES[(cycle - 1) % len(_STYLES)]
        marks.append(Line2D([], [], color='0.3', linestyle=style, label=f'cycle {cycle}'))
    figure.legend(handles=marks, loc='outside lower center', ncols=1 + len(cycles), fontsize=SMALL, frameon=False)
    return figure
