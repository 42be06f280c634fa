"""``benchmark.py test`` in its quick form: its table, not its times."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest


def test_loading_is_measured_beside_mmpose(run_tool: Callable, tmp_path: Path) -> None:
    file = tmp_path / 'test.json'
    done = run_tool('tools/analysis_tools/benchmark.py', 'test', '--quick', '--boxes', '2', '5', '--json', str(file))
    assert done.returncode == 0, done.stderr
    table, together = json.loads(file.read_text())
    assert [row['boxes on a picture'] for row in table['rows']] == [2, 5]
    assert all(row['times as fast'] > 0 and row['whole sample, here'] > 0 for row in table['rows'])
    assert table['rows'][0]['decodes per box, batches of 32'] == 0.5
    assert 'Loading an evaluation' in done.stdout and ', Python 3.' in done.stdout
    *steps, whole = together['rows']
    assert [row['step'] for row in steps] == ['load, crop and pack', 'decode', 'metric']
    assert whole['step'] == 'together' and whole['times as fast'] > 0
    for side in ('MMPose', 'here'):  # of one round
        assert whole[side] == pytest.approx(sum(row[side] for row in steps)) and min(row[side] for row in steps) > 0
    assert whole['times as fast'] == pytest.approx(whole['MMPose'] / whole['here'])
