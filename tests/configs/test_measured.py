"""The tables of README.md that raw data lie beside say what these say."""

import csv
import statistics
from collections import defaultdict
from pathlib import Path

import pytest
from scipy import stats

from sdpose.apis.tables.plan_file import read_plan

_FOLDER = Path(__file__).parents[2] / 'configs/sdpose'
_LONGER = 'plain, time of SDPose'


def _values(name: str) -> dict[str, dict[str, list[float]]]:
    """AP by row and cycle, in the order of the seeds."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    with open(_FOLDER / 'measured' / name, newline='') as file:
        for row in sorted(csv.DictReader(file), key=lambda each: int(each['seed'])):
            found[row['row']][row['cycle']].append(float(row['metric']))
    return found


def _spread(values: list[float], sign: str = '') -> str:
    return f'{statistics.mean(values):{sign}.1f} ± {statistics.stdev(values):.1f}'


def _difference(values: list[float], reference: list[float]) -> list[str]:
    """Mean, spread and 95 % interval of the differences, as two cells."""
    if values == reference:
        return ['', '']
    apart = [one - other for one, other in zip(values, reference, strict=True)]
    half = stats.t.ppf(0.975, len(apart) - 1) * statistics.stdev(apart) / len(apart) ** 0.5
    mean = statistics.mean(apart)
    return [_spread(apart, '+'), f'{mean - half:+.1f} to {mean + half:+.1f}']


@pytest.mark.parametrize(
    ('name', 'references', 'number'),
    [
        ('beyond.csv', ['plain', _LONGER], 12),
        ('beyond_confirmed.csv', ['plain', _LONGER], 4),
        ('beyond_flat.csv', ['plain, 4.5 times the steps', _LONGER], 3),
        ('beyond_epochs.csv', ['plain, four passes', 'plain, four passes, time of SDPose'], 10),
        ('beyond_epochs_confirmed.csv', ['plain, four passes'], 3),
        ('beyond_simcc.csv', ['SimCC, plain'], 3),
    ],
)
def test_the_tables_of_cycle_1_minus_the_plain_model(name: str, references: list[str], number: int) -> None:
    lines = (_FOLDER / 'README.md').read_text().splitlines()
    rows = _values(name)
    assert len(rows) == number
    for row, cycles in rows.items():
        second = _spread(cycles['2']) if '2' in cycles else '-'
        cells = [row, _spread(cycles['1']), second]
        for reference in references:
            cells += _difference(cycles['1'], rows[reference]['1'])
        wanted = [cell.replace(' ', '') for cell in cells]
        found = [[cell.replace(' ', '') for cell in line.split('|')[1:-1]] for line in lines]
        assert any(line[: len(wanted)] == wanted for line in found), cells


def test_the_rows_that_three_seeds_chose_are_judged_by_new_ones() -> None:
    text = (_FOLDER / 'README.md').read_text()
    rows = _values('beyond_epochs_confirmed.csv')
    plain = rows['plain, four passes']['1']
    for row, cycles in list(rows.items())[1:]:
        assert len(cycles['1']) == 12
        cells = [*_difference(cycles['1'], plain), *_difference(cycles['1'][3:], plain[3:])]
        assert f'| {" | ".join(cells)} |\n' in text, row
    assert (
        max(
            one - other
            for one, other in zip(rows['SDPose, pose loss of cycle 2 counts 0.8']['1'][3:], plain[3:], strict=True)
        )
        < 0
    )


def test_the_table_of_recipes() -> None:
    lines = [line.replace(' ', '') for line in (_FOLDER / 'README.md').read_text().splitlines()]
    rows = _values('recipes.csv')
    assert list(rows) == [row.name for row in read_plan(_FOLDER / 'tables.yml').tables['recipes'].rows]
    for row, cycles in rows.items():
        cells = [row, _spread(cycles['1']), _spread(cycles['2']), *_difference(cycles['1'], rows['SDPose']['1'])]
        assert f'|{"|".join(cells)}|'.replace(' ', '') in lines, cells


def test_the_table_of_crop_caches() -> None:
    lines = (_FOLDER.parent / '_base_/datasets/README.md').read_text().splitlines()
    rows = _values('crop_cache.csv')
    assert list(rows) == ['pictures', 'raw crops', 'JPEG crops']
    for row, cycles in rows.items():
        cells = [row, _spread(cycles['1']), *_difference(cycles['1'], rows['pictures']['1'])]
        wanted = [cell.replace(' ', '') for cell in cells]
        assert any([cell.replace(' ', '') for cell in line.split('|')[1:-1]] == wanted for line in lines), cells


def test_nothing_is_announced_that_is_not_there() -> None:
    """A line that ends in a colon is followed by what it announces, one blank line behind it at most."""
    root = _FOLDER.parents[1]
    pages = [
        *root.glob('*.md'),
        *(page for name in ('configs', 'sdpose', 'tools') for page in root.glob(f'{name}/**/*.md')),
    ]
    assert len(pages) > 10
    for page in pages:
        assert ':\n\n\n' not in page.read_text(), page
