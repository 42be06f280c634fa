"""Small charts as inline SVG, whose colors are the page's: they follow it into the dark, and need no script."""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

import numpy as np

# Small, so that text stays legible where a chart fills the width of a phone.
_WIDTH, _HEIGHT = 360, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 12, 40
_TICKS = 5
_ROW = 38  # height of a row of differences


class Line(NamedTuple):
    """A line of a chart.

    Attributes:
        label: What it shows, for the legend.
        x: Values along.
        y: Values up; None leaves a gap.
        style: ``'line'``, ``'dots'`` for a line with its points, or ``'reference'`` for a thin dashed one.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float | None]
    style: str = 'line'


class Interval(NamedTuple):
    """A row of a chart of differences.

    Attributes:
        label: What it is about.
        values: The single differences.
        mean: Their mean.
        bounds: Its interval; None if there is none.
    """

    label: str
    values: Sequence[float]
    mean: float
    bounds: tuple[float, float] | None


class _Frame:
    """The axes of a chart: where values lie in it.

    Args:
        x: The least and the highest value along.
        y: Likewise up.
    """

    def __init__(self, x: tuple[float, float], y: tuple[float, float]) -> None:
        self.low, self.high = np.array([x[0], y[0]]), np.array([x[1], y[1]])

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where a value lies in the picture."""
        share = (np.array([x, y]) - self.low) / np.where(self.high > self.low, self.high - self.low, 1)
        along = _LEFT + share[0] * (_WIDTH - _LEFT - _RIGHT)
        return round(float(along), 1), round(float(_HEIGHT - _BOTTOM - share[1] * (_HEIGHT - _TOP - _BOTTOM)), 1)

    def draw(self, x_label: str, y_label: str) -> list[str]:
        """The grid with its numbers and labels."""
        parts = []
        for value in _ticks(self.low[1], self.high[1]):
            x, y = self.place(self.low[0], value)
            parts.append(f'<path class="grid" d="M{x} {y}H{_WIDTH - _RIGHT}"/>')
            parts.append(f'<text x="{x - 6}" y="{y + 4}" text-anchor="end">{value:.3g}</text>')
        for value in _ticks(self.low[0], self.high[0]):
            x, y = self.place(value, self.low[1])
            parts.append(f'<text x="{x}" y="{y + 16}" text-anchor="middle">{value:.3g}</text>')
        middle = (_LEFT + _WIDTH - _RIGHT) / 2
        parts.append(
            f'<text x="{middle}" y="{_HEIGHT - 6}" text-anchor="middle" class="label">{escape(x_label)}</text>'
        )
        middle = (_TOP + _HEIGHT - _BOTTOM) / 2
        parts.append(
            f'<text transform="translate(11 {middle}) rotate(-90)" text-anchor="middle" class="label">'
            f'{escape(y_label)}</text>'
        )
        return parts


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers from low to high, about five."""
    if high <= low:
        return [low]
    raw = (high - low) / _TICKS
    power = 10.0 ** np.floor(np.log10(raw))
    step = power * min((1, 2, 2.5, 5, 10), key=lambda factor: abs(factor * power - raw))
    first = np.ceil(low / step - 1e-9)
    return [float(round(number * step, 10)) + 0.0 for number in np.arange(first, np.floor(high / step + 1e-9) + 1)]


def line_chart(
    lines: Sequence[Line],
    title: str,
    x_label: str,
    y_label: str,
    x: tuple[float, float] = (0, 1),
    y: tuple[float, float] = (0, 1),
) -> str:
    """Lines over one another, with a legend where there are several.

    Args:
        lines: What is drawn; those of the style ``'reference'`` have no color of their own.
        title: What a reader who does not see the chart is told.
        x_label: What is along.
        y_label: What is up.
        x: The range along.
        y: The range up.
    """
    frame, parts, legend, color = _Frame(x, y), [], [], 0
    for line in lines:
        kind = 'reference' if line.style == 'reference' else f's{color}'
        points = [None if up is None else frame.place(along, up) for along, up in zip(line.x, line.y)]
        parts.append(f'<path class="line {kind}" d="{_path(points)}"/>')
        if line.style == 'dots':
            parts += [f'<circle class="dot {kind}" cx="{at[0]}" cy="{at[1]}" r="3"/>' for at in points if at]
        legend.append(f'<span><i class="{kind}"></i>{escape(line.label)}</span>')
        color += line.style != 'reference'
    shown = f'<figcaption class="legend">{"".join(legend)}</figcaption>' if len(lines) > 1 else ''
    return _figure([*frame.draw(x_label, y_label), *parts], title, shown)


def interval_chart(rows: Sequence[Interval], title: str, x_label: str) -> str:
    """Rows of single values with their mean and its interval, over a line at zero.

    Args:
        rows: From top to bottom.
        title: What a reader who does not see the chart is told.
        x_label: What is along.
    """
    ends = [value for row in rows for value in (*row.values, *(row.bounds or ()))]
    low, high = min(0.0, *ends), max(0.0, *ends)
    margin = 0.05 * (high - low) or 1.0
    low, high = low - margin, high + margin
    height = _ROW * len(rows) + _TOP + _BOTTOM
    span = _WIDTH - 2 * _RIGHT

    def place(value: float) -> float:
        return round(_RIGHT + (value - low) / (high - low) * span, 1)

    parts = [f'<path class="mark" d="M{place(0)} {_TOP}V{height - _BOTTOM}"/>']
    for value in _ticks(low, high):
        parts.append(f'<text x="{place(value)}" y="{height - _BOTTOM + 16}" text-anchor="middle">{value:.3g}</text>')
    parts.append(f'<text x="{_WIDTH / 2}" y="{height - 6}" text-anchor="middle" class="label">{escape(x_label)}</text>')
    for number, row in enumerate(rows):
        top = _TOP + number * _ROW
        y = top + 0.72 * _ROW
        parts.append(f'<text x="{_RIGHT}" y="{top + 13}" class="label">{escape(row.label)}</text>')
        if row.bounds is not None:
            parts.append(f'<path class="line s0" d="M{place(row.bounds[0])} {y:.1f}H{place(row.bounds[1])}"/>')
        parts += [f'<circle class="single" cx="{place(value)}" cy="{y:.1f}" r="3"/>' for value in row.values]
        parts.append(f'<circle class="dot s0" cx="{place(row.mean)}" cy="{y:.1f}" r="4.5"/>')
    return _figure(parts, title, '', height)


def histogram(
    edges: Sequence[float], counts: Sequence[int], title: str, x_label: str, y_label: str, marks: dict[str, float]
) -> str:
    """Bars of counts, as shares of all, with marked places.

    Args:
        edges: One more than there are bars.
        counts: Of the bars.
        title: What a reader who does not see the chart is told.
        x_label: What is along.
        y_label: What is up.
        marks: Places along by what they are.
    """
    shares = np.asarray(counts) / max(int(np.sum(counts)), 1)
    frame = _Frame((edges[0], edges[-1]), (0, max(float(shares.max(initial=0)) * 1.1, 1e-3)))
    parts = frame.draw(x_label, y_label)
    for low, high, share in zip(edges, edges[1:], shares.tolist()):
        (left, top), (right, bottom) = frame.place(low, share), frame.place(high, 0)
        parts.append(
            f'<rect class="bar s0" x="{left}" y="{top}" width="{max(right - left - 0.6, 0.5):.1f}" '
            f'height="{bottom - top:.1f}"/>'
        )
    for number, (name, value) in enumerate(marks.items()):
        at, top = frame.place(value, frame.high[1])
        parts.append(f'<path class="mark" d="M{at} {top}V{_HEIGHT - _BOTTOM}"/>')
        parts.append(f'<text x="{at + 4}" y="{top + 11 + 14 * number}">{escape(name)}</text>')
    return _figure(parts, title, '')


def _path(points: Sequence[tuple[float, float] | None]) -> str:
    """The path through points, with gaps."""
    text, pen = [], 'M'
    for at in points:
        text.append(f'{pen}{at[0]} {at[1]}' if at else '')
        pen = 'L' if at else 'M'
    return ''.join(text)


def _figure(parts: Sequence[str], title: str, below: str, height: float = _HEIGHT) -> str:
    return (
        f'<figure class="chart"><svg viewBox="0 0 {_WIDTH} {height}" role="img"><title>{escape(title)}</title>'
        f'{"".join(parts)}</svg>{below}</figure>'
    )
