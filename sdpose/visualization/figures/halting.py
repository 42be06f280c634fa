"""A metric against what any-time inference costs, beside its control."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from .base import COLORS, SMALL, new_figure


def draw_halting(
    thresholds: Sequence[float], costs: Sequence[float], values: Sequence[float], control: Sequence[float], metric: str
) -> Figure:
    """Draw one point per threshold, and that of its control below or above it.

    Args:
        thresholds: T of them.
        costs: Mean multiply-adds per person in G, (T,), of rule and control alike.
        values: The metric by the rule, (T,).
        control: The metric by the control, (T,).
        metric: Its name.
    """
    figure = new_figure(5.5, 3.6, f'{metric} against mean cost')
    axes = figure.subplots()
    order = sorted(range(len(costs)), key=lambda number: costs[number])
    x = [costs[number] for number in order]
    for label, color, style, y in (('rule', COLORS[0], '-', values), ('by chance', COLORS[1], '--', control)):
        axes.plot(x, [y[number] for number in order], style, color=color, marker='o', markersize=4, label=label)
    for number in order:
        place = (costs[number], values[number])
        axes.annotate(f'{thresholds[number]:g}', place, textcoords='offset points', xytext=(3, 5), fontsize=SMALL - 1)
    axes.set_xlabel('mean multiply-adds per person (G)', fontsize=SMALL)
    axes.set_ylabel(metric, fontsize=SMALL)
    axes.tick_params(labelsize=SMALL - 1)
    axes.grid(alpha=0.25)
    axes.legend(fontsize=SMALL, frameon=False)
    return figure
