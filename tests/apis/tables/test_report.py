"""Reports, by values worked out by hand."""

import cv2
import pytest

from sdpose.apis.tables.plan import Row, Table
from sdpose.apis.tables.plot import plot
from sdpose.apis.tables.report import Outcome, gap, markdown, mean_and_spread

PLAIN, TAUGHT, WORSE = Row('plain', 70.0), Row('taught', 72.5), Row('worse', None)
TABLE = Table('A table', (PLAIN, TAUGHT, WORSE), 'first', 'plain')


@pytest.fixture
def outcomes():
    return [
        Outcome(PLAIN, [{1: 40.0}, {1: 42.0}, {1: 41.0}]),
        Outcome(TAUGHT, [{1: 41.0, 2: 50.0}, {1: 44.0, 2: 51.0}, {1: 42.5, 2: 52.0}]),
        Outcome(WORSE, [{1: 30.0}, None, {1: 31.0}]),
    ]


def test_spread_is_the_sample_standard_deviation():
    assert mean_and_spread([40.0, 42.0, 41.0]) == '41.0 ± 1.0'
    assert mean_and_spread([1.0, 2.0, 1.5], sign=True) == '+1.5 ± 0.5'
    assert mean_and_spread([3.0]) == '3.0' and mean_and_spread([]) == '-'


def test_the_read_cycle_counts(outcomes):
    assert outcomes[1].values('first') == [41.0, 44.0, 42.5]
    assert outcomes[1].values('last') == [50.0, 51.0, 52.0]
    assert outcomes[2].values('last') == [30.0, None, 31.0]


@pytest.mark.parametrize(
    'mine, paper, verdict',
    [
        ([41.0, 44.0, 42.5], 72.5, 'as in the paper'),
        ([41.0, 44.0, 42.5], 60.0, 'opposite'),
        ([41.0, 44.0, 42.5], None, 'better'),
        ([39.0, 40.0, 39.5], None, 'worse'),
        ([41.0, 44.0, 40.9], 72.5, 'within the spread'),  # one seed is below: 1, 2, -0.1
        ([40.1, 42.1, 43.0], 72.5, 'within the spread'),  # 0.1, 0.1, 2: mean 0.73, spread 1.1
        ([41.0, 42.6, 43.0], 72.5, 'within the spread'),  # 1, 0.6, 2: 1.2 against 4.303 x 0.72 / sqrt(3) = 1.79
        ([41.0, 44.0, None], 72.5, 'too few seeds'),
    ],
)
def test_verdict(outcomes, mine, paper, verdict):
    outcome = Outcome(Row('row', paper), [None if value is None else {1: value} for value in mine])
    assert gap(outcome, outcomes[0], 'first').verdict() == verdict


def test_the_whole_report(outcomes):
    lines = markdown(TABLE, outcomes, 'About it.').splitlines()
    assert lines[0] == '### A table' and lines[2] == 'About it.'
    assert lines[4:9] == [
        '| row | paper | measured (first cycle) | cycle 1 | cycle 2 | seeds | paper - "plain" | measured - "plain" | '
        '95 % interval | shows | pairs for 1 point |',
        '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
        '| plain | 70.0 | 41.0 ± 1.0 | 41.0 ± 1.0 | - | 3 |  |  |  |  |  |',
        # 1.5 +- 4.303 x 0.5 / sqrt(3)
        '| taught | 72.5 | 42.5 ± 1.5 | 42.5 ± 1.5 | 51.0 ± 1.0 | 3 | +2.5 | +1.5 ± 0.5 | +0.3 to +2.7 | '
        'as in the paper | 5 |',
        '| worse | - | 30.5 ± 0.7 | 30.5 ± 0.7 | - | 2 | - | -10.0 ± 0.0 | - | too few seeds | - |',
    ]


def test_an_empty_report_and_its_picture(tmp_path):
    nothing = [Outcome(row, [None]) for row in TABLE.rows]
    assert '| plain | 70.0 | - | - | 0 |' in markdown(TABLE, nothing, '')
    plot(TABLE, nothing, tmp_path / 'table.png')
    assert cv2.imread(str(tmp_path / 'table.png')).std() > 5


def test_quoted_rows_and_further_columns():
    rows = (
        Row('Quoted', 72.8, dict(params=13.0, AR=75.6), quoted=True),
        Row('Ours', 72.3, dict(GFLOPs=2.4, AR=77.7), configs=dict(full='x.py')),
        Row('Later cycle', None, configs=dict(full='y.py'), read='last'),
    )
    table = Table('A table', rows, 'first', columns=dict(AR='coco/AR', APM='coco/AP (M)'), note='A note.')
    outcomes = [
        Outcome(rows[0], [None]),
        Outcome(rows[1], [{1: 71.0}, {1: 73.0}], dict(AR=[76.0, 77.0], APM=[]), 'x'),
        Outcome(rows[2], [{1: 50.0, 2: 52.0}], {}, 'y'),
    ]
    lines = markdown(table, outcomes, 'About it.', ['A remark.']).splitlines()
    assert lines[4:9] == [
        '| row | paper | measured (first cycle) | seeds | params | AR | AR, measured | GFLOPs | APM | APM, measured | '
        'config |',
        '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
        '| Quoted | 72.8 | - | 0 | 13.0 | 75.6 | - | - | - | - | quoted |',
        '| Ours | 72.3 | 72.0 ± 1.4 | 2 | - | 77.7 | 76.5 ± 0.7 | 2.4 | - | - | x |',
        '| Later cycle | - | 52.0 (last cycle) | 1 | - | - | - | - | - | - | y |',
    ]
    assert lines[10].endswith('The rows "quoted" are the paper\'s alone. A note.') and lines[-1] == 'A remark.'
