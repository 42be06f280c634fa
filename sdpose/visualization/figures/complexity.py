"""A score against parameters and multiply-adds (SDPose, Fig. 1)."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from .base import COLORS, SMALL, new_figure

_TEXT = SMALL - 1  # points of a label
_LETTER = 0.58  # width of a letter over its size
_AWAY = 5  # points between a point and its label


class Point(NamedTuple):
    """One model.

    Attributes:
        name: Its label.
        method: What it is one of; each has a color.
        score: The metric.
        params: In millions.
        macs: In thousand millions.
        measured: Whether the score was measured here; otherwise it is quoted.
    """

    name: str
    method: str
    score: float
    params: float
    macs: float
    measured: bool


def draw_complexity(points: Sequence[Point], metric: str, title: str) -> Figure:
    """Two panels, one for parameters and one for multiply-adds; quoted scores are hollow, measured ones filled.

    Args:
        points: At least one.
        metric: Name of the score.
        title: The heading.
    """
    figure = new_figure(13, 6.2, title)
    panels = figure.subplots(1, 2, sharey=True)
    methods = dict(zip(dict.fromkeys(point.method for point in points), COLORS * len(points)))
    for axes, key, label in zip(panels, ('params', 'macs'), ('parameters (M)', 'multiply-adds (G), as published')):
        for method, color in methods.items():
            own = [(getattr(each, key), each.score, each.measured) for each in points if each.method == method]
            for x, y, measured in own:
                axes.plot(x, y, 'o', color=color, markersize=7, markerfacecolor=color if measured else 'white')
        axes.set_xscale('log')
        axes.set_xlabel(label)
        axes.xaxis.set_major_formatter('{x:g}')
        axes.xaxis.set_minor_formatter('{x:g}')
        axes.tick_params(axis='both', which='both', labelsize=SMALL)
        axes.margins(x=0.18, y=0.06)
        axes.grid(alpha=0.25, which='both')
    panels[0].set_ylabel(metric)
    marks = [Line2D([], [], linestyle='', marker='o', color=color, label=name) for name, color in methods.items()]
    for name, face in (('quoted', 'white'), ('measured here', '0.3')):
        marks.append(Line2D([], [], linestyle='', marker='o', color='0.3', markerfacecolor=face, label=name))
    figure.legend(handles=marks, loc='outside lower center', ncols=len(marks), fontsize=SMALL, frameon=False)
    figure.draw_without_rendering()  # so that places on the page are known
    for axes, key in zip(panels, ('params', 'macs')):
        _label(axes, [(getattr(each, key), each.score, each.name, methods[each.method]) for each in points])
    return figure


def _label(axes: Any, points: Sequence[tuple[float, float, str, str]]) -> None:
    """Write names beside points, each in the first place within the panel that is free."""
    per_point = axes.figure.dpi / 72
    centers = [axes.transData.transform((x, y)) / per_point for x, y, *_ in points]
    panel = axes.bbox.extents / per_point
    taken = [(x - 4, y - 4, x + 4, y + 4) for x, y in centers]
    for (x, y), (at, score, name, color) in zip(centers, points):
        width, height = _LETTER * _TEXT * len(name), _TEXT
        places = [
            (across, step * (height + 2))
            for step in (0, 1, -1, 2, -2, 3, -3)
            for across in (_AWAY + 2, -_AWAY - 2 - width, *([-width / 2] if step else []))
        ]
        free = [
            (across, up)
            for across, up in places
            if panel[0] < x + across
            and x + across + width < panel[2]
            and not any(_meet(_box(x + across, y + up, width, height), other) for other in taken)
        ]
        across, up = free[0] if free else (_AWAY, 0)
        taken.append(_box(x + across, y + up, width, height))
        axes.annotate(
            name, (at, score), (across, up), textcoords='offset points', fontsize=_TEXT, color=color, va='center'
        )


def _box(left: float, middle: float, width: float, height: float) -> tuple[float, float, float, float]:
    return left, middle - height / 2, left + width, middle + height / 2


def _meet(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether two boxes (left, bottom, right, top) overlap."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
