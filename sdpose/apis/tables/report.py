"""Mean and spread of a table's rows beside the published numbers, as Markdown."""

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scipy.stats import t as student

from .plan import Row, Table
from .power import CONFIDENCE, ENOUGH, POWER, pairs_needed


@dataclass(frozen=True)
class Outcome:
    """The results of one row.

    Attributes:
        row: The row.
        seeds: Per seed the metric in per cent by cycle, counted from 1; None where a run is not finished.
        columns: Per column of the table's the metrics of the finished seeds, in per cent.
        source: What was trained: a config's name.
        folders: Of the trainings, where their logs are, one per seed; None where there is none.
        numbers: What the seeds are, where they are not 0, 1 and so on; empty of a training that was given none.
    """

    row: Row
    seeds: Sequence[dict[int, float] | None]
    columns: dict[str, list[float]] = field(default_factory=dict)
    source: str = ''
    folders: Sequence[Path | None] = ()
    numbers: Sequence[str] = ()

    def values(self, read: str) -> list[float | None]:
        """Per seed the metric of the first or last cycle; a row may read another one than its table."""
        read = self.row.read or read
        return [None if found is None else found[min(found) if read == 'first' else max(found)] for found in self.seeds]

    def finished(self, read: str) -> list[float]:
        """The metric of the finished seeds."""
        return [value for value in self.values(read) if value is not None]


@dataclass(frozen=True)
class Gap:
    """Difference of a row from the reference row, seed by seed.

    Attributes:
        paper: The published difference, if both rows have a number.
        measured: The measured ones, of the seeds that both rows have.
    """

    paper: float | None
    measured: list[float]

    def interval(self) -> tuple[float, float] | None:
        """Student's 95 % interval of the mean; None of fewer than three seeds."""
        if len(self.measured) < ENOUGH:
            return None
        mean = statistics.mean(self.measured)
        error = statistics.stdev(self.measured) / math.sqrt(len(self.measured))
        half = float(student.ppf((1 + CONFIDENCE) / 2, len(self.measured) - 1)) * error
        return mean - half, mean + half

    def verdict(self) -> str:
        """Whether the paper's ordering shows: only if the interval of the mean excludes zero."""
        interval = self.interval()
        if interval is None:
            return 'too few seeds'
        if interval[0] <= 0 <= interval[1]:
            return 'within the spread'
        is_better = interval[0] > 0
        if not self.paper:
            return 'better' if is_better else 'worse'
        return 'as in the paper' if is_better == (self.paper > 0) else 'opposite'


def reference_of(table: Table, outcomes: Sequence[Outcome]) -> Outcome | None:
    """The row that the others are compared with, if the table has one."""
    return next((item for item in outcomes if item.row.name == table.reference), None)


def gap(outcome: Outcome, reference: Outcome, read: str) -> Gap:
    """Compare a row with the reference row."""
    pairs = zip(outcome.values(read), reference.values(read))
    paper, other_paper = outcome.row.paper, reference.row.paper
    return Gap(
        None if paper is None or other_paper is None else paper - other_paper,
        [mine - other for mine, other in pairs if mine is not None and other is not None],
    )


def mean_and_spread(values: Sequence[float], sign: bool = False) -> str:
    """``41.3 ± 0.4``: mean and sample standard deviation; a single value stands alone."""
    if not values:
        return '-'
    mean = f'{statistics.mean(values):{"+" if sign else ""}.1f}'
    return mean if len(values) < 2 else f'{mean} ± {statistics.stdev(values):.1f}'


def by_cycle(outcome: Outcome, cycles: Iterable[int]) -> list[str]:
    """Mean and spread of some cycles, counted from 1, over the finished seeds; a dash for one that none has."""
    return [mean_and_spread([found[cycle] for found in outcome.seeds if found and cycle in found]) for cycle in cycles]


def bounds(found: Gap) -> str:
    """``-0.2 to +1.4``: the interval of a difference; a dash where there is none."""
    interval = found.interval()
    return '-' if interval is None else f'{interval[0]:+.1f} to {interval[1]:+.1f}'


def pairs(found: Gap) -> str:
    """How many seeds it takes to see one point at the spread of these differences; a dash where none is known."""
    if len(found.measured) < ENOUGH:
        return '-'
    return str(pairs_needed(statistics.stdev(found.measured)) or '-')


def markdown(table: Table, outcomes: Sequence[Outcome], about: str, remarks: Sequence[str] = ()) -> str:
    """The table as Markdown.

    Args:
        table: What was compared.
        outcomes: One per row, in the table's order.
        about: What was trained on what; stands below the heading.
        remarks: Further lines below the table.
    """
    reference = reference_of(table, outcomes)
    parts = [
        _counts(table, outcomes),
        _published(table, outcomes),
        _sources(outcomes),
        _differences(table, outcomes, reference) if reference else [],
    ]
    names = [['row']] + [[item.row.name] for item in outcomes]
    rows: list[list[str]] = [sum(cells, []) for cells in zip(names, *filter(None, parts))]
    lines = [f'### {table.title}', '', about, '', _line(rows[0]), _line(['---'] * len(rows[0])), *map(_line, rows[1:])]
    legend = 'Per cent, mean ± sample standard deviation over seeds.'
    if reference:
        legend = (
            'Per cent, mean ± sample standard deviation over seeds; differences are taken seed by seed. One '
            f'counts from {ENOUGH} seeds on, and if the 95 % interval of its mean excludes zero. Pairs for 1 point: at '
            f'the spread of these differences so many seeds show one point with a probability of {100 * POWER:.0f} %.'
        )
    if any(item.row.quoted for item in outcomes):
        legend += ' The rows "quoted" are the paper\'s alone.'
    return '\n'.join([*lines, '', ' '.join(filter(None, [legend, table.note])), '', *remarks])


def _counts(table: Table, outcomes: Sequence[Outcome]) -> list[list[str]]:
    """Header and cells of the metric that counts: published, measured, by cycle where rows are compared."""
    count = max((len(found) for item in outcomes for found in item.seeds if found), default=1)
    cycles = range(1, count + 1) if table.reference else ()
    cells = [['paper', f'measured ({table.read} cycle)', *(f'cycle {number}' for number in cycles), 'seeds']]
    for item in outcomes:
        values = item.finished(table.read)
        measured = mean_and_spread(values) + (f' ({item.row.read} cycle)' if values and item.row.read else '')
        cells.append([_number(item.row.paper), measured, *by_cycle(item, cycles), str(len(values))])
    return cells


def _published(table: Table, outcomes: Sequence[Outcome]) -> list[list[str]]:
    """Header and cells of the other columns: published, and measured where the table says how."""
    names = list(dict.fromkeys([*(name for item in outcomes for name in item.row.figures), *table.columns]))
    if not names:
        return []
    measured = [name in table.columns for name in names]
    cells = [sum(([name, f'{name}, measured'] if also else [name] for name, also in zip(names, measured)), [])]
    for item in outcomes:
        cells.append(
            sum(
                (
                    [_number(item.row.figures.get(name))]
                    + ([mean_and_spread(item.columns.get(name, []))] if also else [])
                    for name, also in zip(names, measured)
                ),
                [],
            )
        )
    return cells


def _sources(outcomes: Sequence[Outcome]) -> list[list[str]]:
    """Header and cells of what was trained, where rows differ in that."""
    if not any(item.row.configs or item.row.quoted for item in outcomes):
        return []
    return [['config'], *(['quoted' if item.row.quoted else item.source or '-'] for item in outcomes)]


def _differences(table: Table, outcomes: Sequence[Outcome], reference: Outcome) -> list[list[str]]:
    """Header and cells of the differences from the reference row."""
    against = f'- "{table.reference}"'
    cells = [[f'paper {against}', f'measured {against}', '95 % interval', 'shows', 'pairs for 1 point']]
    for item in outcomes:
        if item is reference:
            cells.append([''] * len(cells[0]))
            continue
        found = gap(item, reference, table.read)
        cells.append(
            [
                '-' if found.paper is None else f'{found.paper:+.1f}',
                mean_and_spread(found.measured, sign=True),
                bounds(found),
                found.verdict(),
                pairs(found),
            ]
        )
    return cells


def _number(value: float | None) -> str:
    return '-' if value is None else f'{value:.1f}'


def _line(cells: Sequence[str]) -> str:
    return f'| {" | ".join(cells)} |'
