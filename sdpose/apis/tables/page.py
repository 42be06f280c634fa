"""A table's page: rows beside the published numbers, their differences seed by seed, learning curves; and a CSV."""

import csv
import io
import statistics
from collections.abc import Sequence
from typing import Any

from sdpose.visualization.report_page import Interval, Line, interval_chart, line_chart, render_page

from .learning import learning_curves
from .plan import Table
from .report import Outcome, bounds, by_cycle, gap, mean_and_spread, reference_of


def table_page(table: Table, outcomes: Sequence[Outcome], about: str, remarks: Sequence[str]) -> str:
    """The page, HTML that refers to nothing outside of it.

    Args:
        table: What was compared.
        outcomes: One per row, in the table's order.
        about: What was trained on what.
        remarks: Further lines.
    """
    reference = reference_of(table, outcomes)
    pairs = _pairs(table, outcomes, reference) if reference else []
    curves, quantity = _learning({item.row.name: item for item in outcomes}, reference)
    charts = {'pairs': _pair_chart(table, pairs), **{f'curve{place}': chart for place, (_, chart) in enumerate(curves)}}
    report = {
        'title': table.title,
        'about': about,
        'note': table.note,
        'read': table.read,
        'reference': table.reference,
        'rows': [_row(table, item) for item in outcomes],
        'pairs': pairs,
        'seeds': max(map(_seed_names, outcomes), key=len, default=[]),
        'quantity': quantity,
        'curves': [name for name, _ in curves],
        'remarks': [remark.removeprefix('- ') for remark in remarks],
    }
    return render_page('table', report, charts)


def table_csv(outcomes: Sequence[Outcome]) -> str:
    """Every number as CSV: row, seed, cycle, and the metric in per cent."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator='\n')
    writer.writerow(('row', 'seed', 'cycle', 'metric'))
    for item in outcomes:
        for seed, found in zip(_seed_names(item), item.seeds, strict=True):
            writer.writerows((item.row.name, seed, cycle, value) for cycle, value in (found or {}).items())
    return file.getvalue()


def _seed_names(item: Outcome) -> list[str]:
    """What the seeds of a row are."""
    return list(item.numbers) or [str(place) for place in range(len(item.seeds))]


def _row(table: Table, item: Outcome) -> dict[str, Any]:
    values = item.finished(table.read)
    return {
        'name': item.row.name,
        'paper': item.row.paper,
        'measured': mean_and_spread(values) if values else None,
        'cycles': _by_cycle(item),
        'seeds': len(values),
    }


def _by_cycle(item: Outcome) -> list[str]:
    """Mean and spread of every cycle; nothing where there is one."""
    count = max((len(found) for found in item.seeds if found), default=0)
    return by_cycle(item, range(1, count + 1) if count > 1 else ())


def _pairs(table: Table, outcomes: Sequence[Outcome], reference: Outcome) -> list[dict[str, Any]]:
    """The differences of every row that was measured from the reference."""
    pairs = []
    for item in outcomes:
        found = gap(item, reference, table.read)
        if item is reference or not found.measured:
            continue
        both = zip(item.values(table.read), reference.values(table.read))
        pairs.append(
            {
                'name': item.row.name,
                'paper': found.paper,
                'seeds': [None if None in (mine, other) else mine - other for mine, other in both],  # type: ignore
                'values': found.measured,
                'mean': statistics.mean(found.measured),
                'interval': found.interval(),
                'bounds': bounds(found),
                'shows': found.verdict(),
            }
        )
    return pairs


def _pair_chart(table: Table, pairs: Sequence[dict[str, Any]]) -> str:
    rows = [Interval(pair['name'], pair['values'], pair['mean'], pair['interval']) for pair in pairs]
    return interval_chart(rows, 'Differences seed by seed', f'points, minus "{table.reference}"') if rows else ''


def _learning(items: dict[str, Outcome], reference: Outcome | None) -> tuple[list[tuple[str, str]], str]:
    """A chart of each row's learning curve over that of the reference, and what it shows."""
    quantity, curves = learning_curves({name: item.folders for name, item in items.items()})
    if not curves:
        return [], ''
    highest = max(max(y) for _, y in curves.values())
    last = max(x[-1] for x, _ in curves.values())
    against = curves.get(reference.row.name) if reference else None
    charts = []
    for name, (x, y) in curves.items():
        lines = [Line(name, x, y)]
        if reference and against and name != reference.row.name:
            lines.append(Line(reference.row.name, *against, style='reference'))
        chart = line_chart(lines, f'{quantity} of {name}', 'iteration', quantity, (0, last), (0, 1.05 * highest))
        charts.append((name, chart))
    return charts, quantity
