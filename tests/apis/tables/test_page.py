"""The page of a table and its CSV, by values worked out by hand."""

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from browser import open_browser

from sdpose.apis.tables.learning import curves_csv, learning_curves
from sdpose.apis.tables.page import table_csv, table_page
from sdpose.apis.tables.plan import Row, Table
from sdpose.apis.tables.report import Outcome

PLAIN, TAUGHT, LATE = Row('plain <1>', 70.0), Row('taught', 72.5), Row('late', None)
TABLE = Table('A table', (PLAIN, TAUGHT, LATE), 'first', 'plain <1>', note='A note.')


def log(folder: Path, **series: dict[int, float]) -> Path:
    """A training's folder with what it has logged."""
    steps = sorted({step for values in series.values() for step in values})
    entries = [
        dict(step=step, iter=step, epoch=1, **{name: values[step] for name, values in series.items() if step in values})
        for step in steps
    ]
    path = folder / '2026/vis_data/scalars.json'
    path.parent.mkdir(parents=True)
    path.write_text(''.join(f'{json.dumps(entry)}\n' for entry in entries))
    return folder


@pytest.fixture
def outcomes(tmp_path):
    folders = {
        name: [log(tmp_path / f'{name}{seed}', acc_pose={50: 0.1 * seed, 100: rate}, loss={50: 1.0}) for seed in (0, 1)]
        for name, rate in (('plain', 0.4), ('taught', 0.6))
    }
    return [
        Outcome(PLAIN, [{1: 40.0}, {1: 42.0}, {1: 41.0}], folders=folders['plain']),
        Outcome(TAUGHT, [{1: 41.0, 2: 50.0}, {1: 44.0, 2: 51.0}, {1: 42.5, 2: 52.0}], folders=folders['taught']),
        Outcome(LATE, [None, {1: 40.0}, None], folders=[tmp_path / 'nothing']),
    ]


def cells(page: str, name: str) -> list[list[str]]:
    """The cells of every table row that begins with a name."""
    found = re.findall(rf'<tr><td>{name}</td>(.*?)</tr>', page)
    return [re.findall(r'<td[^>]*>(.*?)</td>', row) for row in found]


def test_rows_and_differences_stand_on_the_page(outcomes):
    page = table_page(TABLE, outcomes, 'About it.', ['- A remark.'])
    row, pair = cells(page, 'taught')
    assert row == ['72.5', '42.5 ± 1.5', '42.5 ± 1.5, 51.0 ± 1.0', '3']
    assert pair == ['+1.5', '+0.3 to +2.7', '+2.5', 'as in the paper', '+1.0', '+2.0', '+1.5']
    assert cells(page, 'late')[1] == ['-2.0', '-', '–', 'too few seeds', '–', '-2.0', '–']
    assert cells(page, 'plain &lt;1&gt;') == [['70.0', '41.0 ± 1.0', '', '3']]  # not compared with itself
    assert 'About it.' in page and 'A note.' in page and '<p>A remark.</p>' in page
    numbered = [replace(item, numbers=['0', '2', '5']) for item in outcomes]
    assert re.findall('>seed (.)<', table_page(TABLE, numbered, '', [])) == ['0', '2', '5']
    assert re.findall('>seed (.)<', page) == ['0', '1', '2']
    assert page.count('class="single"') == 3 + 1 and 'http' not in page.replace('http://www.w3.org', '')


def test_a_table_without_anything_has_a_page():
    page = table_page(TABLE, [Outcome(row, [None]) for row in TABLE.rows], '', [])
    assert 'id="rows"' in page and 'id="pairs"' not in page and 'id="learning"' not in page


def test_all_curves_are_written_by_row_seed_and_step(tmp_path):
    first = log(tmp_path / 'first', acc_pose={50: 0.25, 100: 0.5}, loss_kpt={50: 0.0123456}, lr={50: 1.0})
    second = log(tmp_path / 'second', loss_kpt_cycle1={50: 2.0}, loss_kpt_cycle2={50: 1e-6})
    assert curves_csv({'a, b': [first, tmp_path / 'nothing'], 'c': [tmp_path / 'nothing', second]}).splitlines() == [
        'row,seed,iteration,acc_pose,loss_kpt,loss_kpt_cycle1,loss_kpt_cycle2',
        '"a, b",0,50,0.25,0.01235,,',
        '"a, b",0,100,0.5,,,',
        'c,1,50,,,2,1e-06',
    ]
    assert curves_csv({'a': [tmp_path / 'nothing']}) == 'row,seed,iteration\n'


def test_learning_curves_are_means_over_the_steps_that_all_have(outcomes, tmp_path):
    quantity, curves = learning_curves({item.row.name: item.folders for item in outcomes})
    assert quantity == 'acc_pose'
    assert curves == {
        'plain <1>': ([50.0, 100.0], pytest.approx([0.05, 0.4])),
        'taught': ([50.0, 100.0], pytest.approx([0.05, 0.6])),
    }
    # One row logs no accuracy: the loss is left, which its last step lacks.
    odd = log(tmp_path / 'odd', loss={50: 3.0, 100: 2.0})
    assert learning_curves({'a': [odd], 'b': outcomes[0].folders}) == (
        'loss',
        {'a': ([50.0, 100.0], [3.0, 2.0]), 'b': ([50.0], [1.0])},
    )
    assert learning_curves({'a': [tmp_path / 'nothing']}) == ('', {})


def test_long_curves_are_thinned_by_means(tmp_path):
    run = log(tmp_path / 'run', loss={step: float(step) for step in range(1, 241)})
    x, y = learning_curves({'a': [run]})[1]['a']
    assert len(x) == 60 and x == y
    assert x[0] == 2.5  # of 1 to 4


def test_every_number_is_in_the_csv(outcomes):
    rows = list(csv.DictReader(io.StringIO(table_csv(outcomes))))
    assert len(rows) == 3 + 6 + 1
    assert rows[4] == dict(row='taught', seed='0', cycle='2', metric='50.0')
    assert rows[-1] == dict(row='late', seed='1', cycle='1', metric='40.0')


@pytest.mark.parametrize('scheme', ['light', 'dark'])
def test_the_page_in_a_browser(outcomes, tmp_path, scheme):
    file = tmp_path / 'table.html'
    file.write_text(table_page(TABLE, outcomes, 'About it.', []), encoding='utf-8')
    with open_browser() as browser:
        page = browser.new_page(viewport=dict(width=375, height=700), color_scheme=scheme)
        failed = []
        page.on('request', lambda request: failed.append(request.url) if request.url[:5] != 'file:' else None)
        page.on('console', lambda message: failed.append(message.text))
        page.goto(file.as_uri())
        assert page.evaluate('document.documentElement.scrollWidth') <= 375
        svg = page.locator('#pairs svg')
        inside = svg.bounding_box()
        for mark in svg.locator('circle').all():
            box = mark.bounding_box()
            assert inside['x'] <= box['x'] and box['x'] + box['width'] <= inside['x'] + inside['width']
        page.screenshot(path=str(tmp_path / 'page.png'), full_page=True)
        assert not failed
