"""Mean and spread of a table's rows beside the published numbers, as Markdown."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

from scipy.stats import t as student

from .plan import Row, Table

# Fewer seeds give an interval too wide to mean anything.
ENOUGH = 3
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Outcome:
    """The results of one row.

    Attributes:
        row: The row.
        seeds: Per seed the metric in per cent by cycle, counted from 1; None where a run is not finished.
    """
    row: Row
    seeds: Sequence[Optional[dict[int, float]]]

    def values(self, read: str) -> list[Optional[float]]:
        """Per seed the metric of the first or last cycle."""
        return [None if found is None else found[min(found) if read == 'first' else max(found)]
                for found in self.seeds]


@dataclass(frozen=True)
class Gap:
    """Difference of a row from the reference row, seed by seed.

    Attributes:
        paper: The published difference, if both rows have a number.
        measured: The measured ones, of the seeds that both rows have.
    """
    paper: Optional[float]
    measured: list[float]

    def verdict(self) -> str:
        """Whether the paper's ordering shows: only if Student's 95 % interval of the mean excludes zero."""
        if len(self.measured) < ENOUGH:
            return 'too few seeds'
        mean = statistics.mean(self.measured)
        error = statistics.stdev(self.measured) / math.sqrt(len(self.measured))
        if abs(mean) <= student.ppf((1 + CONFIDENCE) / 2, len(self.measured) - 1) * error:
            return 'within the spread'
        if not self.paper:
            return 'better' if mean > 0 else 'worse'
        return 'as in the paper' if (mean > 0) == (self.paper > 0) else 'opposite'


def gap(outcome: Outcome, reference: Outcome, read: str) -> Gap:
    """Compare a row with the reference row."""
    pairs = zip(outcome.values(read), reference.values(read))
    published = None not in (outcome.row.paper, reference.row.paper)
    return Gap(outcome.row.paper - reference.row.paper if published else None,
               [mine - other for mine, other in pairs if None not in (mine, other)])


def mean_and_spread(values: Sequence[float], sign: bool = False) -> str:
    """``41.3 ± 0.4``: mean and sample standard deviation; a single value stands alone."""
    if not values:
        return '-'
    mean = f'{statistics.mean(values):{"+" if sign else ""}.1f}'
    return mean if len(values) < 2 else f'{mean} ± {statistics.stdev(values):.1f}'


def markdown(table: Table, outcomes: Sequence[Outcome], about: str) -> str:
    """The table as Markdown.

    Args:
        table: What was compared.
        outcomes: One per row, in the table's order.
        about: What was trained on what; stands below the heading.
    """
    reference = next(item for item in outcomes if item.row.name == table.reference)
    count = max(len(found) for item in outcomes for found in item.seeds if found) if _any(outcomes) else 1
    cycles = [f'cycle {number}' for number in range(1, count + 1)]
    columns = ['row', 'paper', f'measured ({table.read} cycle)', *cycles, 'seeds', f'paper - "{table.reference}"',
               f'measured - "{table.reference}"', 'shows']
    lines = [f'### {table.title}', '', about, '', _line(columns), _line(['---'] * len(columns))]
    for item in outcomes:
        values = [value for value in item.values(table.read) if value is not None]
        by_cycle = [mean_and_spread([found[cycle] for found in item.seeds if found and cycle in found])
                    for cycle in range(1, count + 1)]
        difference = ['', '', '']
        if item is not reference:
            found = gap(item, reference, table.read)
            difference = ['-' if found.paper is None else f'{found.paper:+.1f}',
                          mean_and_spread(found.measured, sign=True), found.verdict()]
        paper = '-' if item.row.paper is None else f'{item.row.paper:.1f}'
        lines.append(_line([item.row.name, paper, mean_and_spread(values), *by_cycle, str(len(values)), *difference]))
    lines += ['', 'Per cent, mean ± sample standard deviation over seeds; differences are taken seed by seed. One '
              f'counts from {ENOUGH} seeds on, and if the 95 % interval of its mean excludes zero.', '']
    return '\n'.join(lines)


def _any(outcomes: Sequence[Outcome]) -> bool:
    return any(found for item in outcomes for found in item.seeds)


def _line(cells: Sequence[str]) -> str:
    return f'| {" | ".join(cells)} |'
