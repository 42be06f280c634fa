"""The metrics of every cycle as a table for the log."""

from collections.abc import Mapping
from itertools import groupby


def cycle_table(metrics: Mapping[str, float], deployed: int) -> str:
    """A plain-text table, one row per metric and one column per cycle.

    Args:
        metrics: Values by name, as :class:`CycleEvaluator` names them: ``cycle1/coco/AP``.
        deployed: Number of the deployed cycle, which is marked.
    """
    columns = {
        cycle: {name.partition('/')[2]: metrics[name] for name in names}
        for cycle, names in groupby(metrics, lambda name: name.partition('/')[0])
    }
    head = ['metric', *(f'cycle {cycle[5:]}{" *" if cycle == f"cycle{deployed}" else ""}' for cycle in columns)]
    names = dict.fromkeys(name for column in columns.values() for name in column)
    rows = [head, *([name, *(f'{column[name]:.4f}' for column in columns.values())] for name in names)]
    widths = [max(map(len, cells)) for cells in zip(*rows)]
    lines = [
        '  '.join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))])
        for row in rows
    ]
    return '\n'.join([*lines, '* the cycle that the config deploys'])
