"""A table's rows as a picture: every seed and the mean, beside the published number."""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .plan import Table
from .report import Outcome

_MEASURED, _PAPER = '#1f6f8b', '#b5541c'


def plot(table: Table, outcomes: Sequence[Outcome], path: Path) -> None:
    """Write the picture, a PNG.

    The panels of published and measured numbers have axes of their own: data and model differ, only the order of the
    rows can be compared. Where nothing was published, there is one.
    """
    # takes a second, and only this needs it
    from sdpose.visualization.figures.base import new_figure, write_figure

    figure = new_figure(9, 1.4 + 0.45 * len(outcomes), table.title)
    quoted = any(item.row.paper is not None for item in outcomes)
    panels = figure.subplots(1, 2 if quoted else 1, sharey=True, squeeze=False)[0]
    measured, heights = panels[-1], range(len(outcomes), 0, -1)
    panels[0].set_yticks(list(heights), [item.row.name for item in outcomes])
    for height, item in zip(heights, outcomes):
        if item.row.paper is not None:
            _dot(panels[0], item.row.paper, height, _PAPER)
        values = item.finished(table.read)
        if values:
            measured.plot(values, [height] * len(values), 'o', color=_MEASURED, alpha=0.35, markersize=5)
            _dot(measured, statistics.mean(values), height, _MEASURED)
    if quoted:
        panels[0].set(title='paper')
    seeds = max(sum(found is not None for found in item.seeds) for item in outcomes)
    title = f'measured, {table.read} cycle, {seeds} seed{"s" if seeds > 1 else ""}' if seeds else 'nothing measured yet'
    measured.set(title=title)
    for axes in panels:
        axes.set(xlabel=(table.metric or 'AP').rpartition('/')[2], ylim=(0.4, len(outcomes) + 0.7))
        axes.grid(axis='x', alpha=0.3)
        axes.margins(x=0.12)
        axes.spines[['top', 'right']].set_visible(False)
    measured.xaxis.set_visible(seeds > 0)
    write_figure(figure, path)


def _dot(axes: Any, value: float, height: float, color: str) -> None:
    axes.plot(value, height, 'D', color=color, markersize=7)
    axes.annotate(
        f'{value:.1f}', (value, height), xytext=(0, 7), textcoords='offset points', ha='center', fontsize=8, color=color
    )
