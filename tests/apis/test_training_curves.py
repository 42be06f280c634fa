"""Curves of trainings from logs by hand."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sdpose.apis.training_curves import training_curves
from sdpose.errors import DataError, UserError


def _log(folder: Path, start: str, *entries: Any) -> Path:
    file = folder / start / 'vis_data/scalars.json'
    file.parent.mkdir(parents=True)
    file.write_text(''.join(f'{json.dumps(entry)}\n' for entry in entries))
    return file


def _step(step: int, loss: float) -> dict[str, Any]:
    return dict(loss=loss, loss_kpt_cycle1=loss / 2, loss_kpt_cycle2=loss / 4, epoch=1, iter=step, step=step, time=1.0)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A training that was resumed at iteration 20, and tested in every cycle."""
    folder = tmp_path / 'run'
    _log(folder, '20260101_000000', _step(10, 8.0), {'coco/AP': 0.25, 'step': 1}, _step(20, 4.0), _step(30, 2.0))
    second = _log(folder, '20260102_000000', _step(30, 3.0), {'coco/AP': 0.5, 'coco/AP .5': 0.75, 'step': 2})
    with second.open('a') as file:
        file.write('{"loss": 1.0, "st')  # killed while it wrote
    record = {'metrics': {'cycle1/coco/AP': 0.5, 'cycle2/coco/AP': 0.625}, 'checkpoint': 'run/epoch_2.pth'}
    (folder / '20260103_000000').mkdir()
    (folder / '20260103_000000/metrics.json').write_text(json.dumps(record))
    return folder


def test_a_resumed_run_is_one_curve(run: Path) -> None:
    found = training_curves([run])
    assert found.arrays['run1/loss'].tolist() == [[10, 8], [20, 4], [30, 3]]
    assert found.arrays['run1/coco/AP'].tolist() == [[1, 0.25], [2, 0.5]]
    assert found.arrays['run1/cycle2/coco/AP'].tolist() == [[2, 0.625]]
    assert 'run1/time' not in found.arrays and 'run1/coco/AP .5' not in found.arrays
    panels = {axes.get_title(): axes for axes in found.figure.axes}
    assert list(panels) == ['loss', 'loss_kpt', 'coco/AP']
    assert panels['loss'].get_xlabel() == 'iteration' and panels['coco/AP'].get_xlabel() == 'epoch'
    kpt = panels['loss_kpt'].lines
    assert [line.get_linestyle() for line in kpt] == ['-', '--'] and kpt[1].get_ydata().tolist() == [2, 1, 0.75]
    assert [len(line.get_xdata()) for line in panels['coco/AP'].lines] == [2, 1, 1]
    row = dict(run='run', quantity='loss', unit='iteration', step=10, value=8.0)
    assert row in list(found.table)


def test_several_runs_and_chosen_quantities(run: Path, tmp_path: Path) -> None:
    other = _log(tmp_path / 'other', '20260101_000000', _step(10, 1.0))
    found = training_curves([run, other], ['loss_kpt*', 'coco/AP*'])
    assert found.arrays['runs'].tolist() == ['run', 'vis_data']
    assert {axes.get_title() for axes in found.figure.axes} == {'loss_kpt', 'coco/AP', 'coco/AP .5'}
    np.testing.assert_allclose(found.arrays['run2/loss_kpt_cycle1'], [[10, 0.5]])
    colors = {line.get_color() for line in found.figure.axes[0].lines}
    assert len(colors) == 2


def test_bad_input_is_named(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r'nowhere has no scalars.json below it: name the work folder'):
        training_curves([tmp_path / 'nowhere'])
    with pytest.raises(UserError, match=r'^nothing that was logged fits nme: there is loss, loss_kpt_cycle1, '):
        training_curves([run], ['nme'])
    _log(tmp_path / 'empty', '1')
    with pytest.raises(DataError, match='nothing was logged yet'):
        training_curves([tmp_path / 'empty'])
    _log(tmp_path / 'odd', '1', [1, 2], _step(1, 1.0))
    with pytest.raises(DataError, match=r'scalars.json, line 1, is no entry of scalars.json with a step: \[1, 2\]'):
        training_curves([tmp_path / 'odd'])


def test_the_tool(run: Path, run_tool: Callable) -> None:
    done = run_tool('tools/analysis_tools/plot_logs.py', run, '--out', run.parent / 'out/curves', check=True)
    assert done.stdout.startswith(f'{run.parent}/out/curves.png') and '1 run(s), 3 quantities' in done.stdout
    assert sorted(path.name for path in (run.parent / 'out').iterdir()) == ['curves.csv', 'curves.npz', 'curves.png']
