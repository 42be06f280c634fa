"""tools/test.py --all-cycles in two processes, run as a user runs it, against one process that deploys one cycle."""

import json
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest


def _metrics(work_dir: Path) -> dict[str, float]:
    return json.loads(next(work_dir.glob('*/metrics.json')).read_text())['metrics']


def _results(path: Path) -> np.ndarray:
    people = sorted(json.loads(path.read_text()), key=lambda person: (person['image_id'], person['keypoints']))
    return np.array([[person['score'], *person['keypoints']] for person in people])


def _all_cycles_in_two_processes(folder: Path, root: Path, env: dict, out: Path) -> None:
    options = ['--work-dir', 'both', '--out', 'both.json', '--dump', 'both.pkl', '--show-dir', 'pictures']
    options = [str(out / option) if '.' in option or option == 'both' else option for option in options]
    done = subprocess.run(
        [
            'bash',
            str(root / 'tools/dist_test.sh'),
            'tiny.py',
            'run/epoch_20.pth',
            '2',
            *options,
            '--all-cycles',
            '--cfg-options',
            'test_dataloader.batch_size=2',
        ],
        cwd=folder,
        env={**env, 'PYTHON': sys.executable},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.long
def test_one_pass_measures_what_one_run_per_cycle_measures(
    trained: SimpleNamespace, repo_root: Path, tmp_path: Path, tool_env: dict, run_tool: Callable
) -> None:
    # In the middle of the training, where the cycles differ.
    env = {name: value for name, value in tool_env.items() if name != 'PORT'}
    _all_cycles_in_two_processes(trained.folder, repo_root, env, tmp_path)
    run_tool(
        'tools/test.py',
        'tiny.py',
        'run/epoch_20.pth',
        '--work-dir',
        tmp_path / 'second',
        '--out',
        tmp_path / 'second.json',
        '--cfg-options',
        'model.neck.test_cycles=2',
        cwd=trained.folder,
        check=True,
    )
    both, second = _metrics(tmp_path / 'both'), _metrics(tmp_path / 'second')
    assert len(both) == 2 * len(second) == 20
    assert {name: both[f'cycle2/{name}'] for name in second} == pytest.approx(second, abs=1e-6)
    assert both['cycle1/coco/AP'] > 0
    assert {name: both[f'cycle1/{name}'] for name in second} != pytest.approx(second, abs=1e-3)
    # The result files are those of a run per cycle, too, and nothing else is left.
    assert np.allclose(_results(tmp_path / 'both.cycle2.json'), _results(tmp_path / 'second.json'), atol=1e-3)
    assert not np.allclose(_results(tmp_path / 'both.cycle1.json'), _results(tmp_path / 'second.json'), atol=0.1)
    assert len(pickle.loads((tmp_path / 'both.cycle1.pkl').read_bytes())) == 9
    assert set(os.listdir(tmp_path)) == {
        'both',
        'second',
        'both.cycle1.json',
        'both.cycle2.json',
        'both.cycle1.pkl',
        'both.cycle2.pkl',
        'second.json',
    }
    assert list(tmp_path.glob('both/*/pictures/*.jpg'))
    log = next((tmp_path / 'both').glob('*/*.log')).read_text()
    table = log[log.index('metrics of every cycle:') :].splitlines()
    assert table[1].split() == ['metric', 'cycle', '1', '*', 'cycle', '2']
    cells = [f'{both[f"cycle{number}/coco/AP"]:.4f}' for number in (1, 2)]
    assert re.fullmatch(rf'coco/AP +{cells[0]} +{cells[1]}', table[2])
    assert len(table) == 13
