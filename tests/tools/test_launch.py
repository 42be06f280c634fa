"""What stands between the shell and torchrun."""

import importlib.util
import json
import os
import re
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture
def launch(repo_root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location('launch', repo_root / 'tools/misc/launch.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    'env, words',
    [
        ({}, '--nnodes 1 --rdzv_backend c10d --rdzv_endpoint 127.0.0.1:0 --nproc_per_node 2'),
        ({'PORT': '29777'}, '--nnodes 1 --node_rank 0 --master_addr 127.0.0.1 --master_port 29777 --nproc_per_node 2'),
        (
            {'NNODES': '3', 'NODE_RANK': '1', 'MASTER_ADDR': 'first'},
            '--nnodes 3 --node_rank 1 --master_addr first --master_port 29500 --nproc_per_node 2',
        ),
    ],
)
def test_how_processes_meet(launch: ModuleType, monkeypatch: pytest.MonkeyPatch, env: dict, words: str) -> None:
    for name in ('PORT', 'NNODES', 'NODE_RANK', 'MASTER_ADDR'):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    command = launch.torchrun('2', 'train.py', ['c.py', '--cfg-options', 'a=1'], '3')
    assert ' '.join(command[1:]) == (
        f'-m torch.distributed.run {words} --max-restarts 3 train.py c.py --cfg-options a=1 --launcher pytorch'
    )


@pytest.mark.parametrize(
    'given, kept, restarts',
    [
        (['c.py', '--amp'], ['c.py', '--amp'], '0'),
        (['c.py', '--max-restarts', '3', '--amp'], ['c.py', '--amp'], '3'),
        (['--max-restarts=2'], [], '2'),
    ],
)
def test_restarts_are_torchruns(launch: ModuleType, given: list, kept: list, restarts: str) -> None:
    assert launch.split_restarts(given) == (kept, restarts)


@pytest.mark.parametrize('given', [['--max-restarts'], ['--max-restarts', 'many'], ['--max-restarts=-1']])
def test_restarts_are_a_number(launch: ModuleType, given: list) -> None:
    with pytest.raises(SystemExit, match='^error: --max-restarts .*: give a whole number$'):
        launch.split_restarts(given)


def word(kind: str, status: int = 0, line: str = '', lost: bool = False) -> dict[str, Any]:
    return dict(kind=kind, status=status, line=line, lost=lost)


_BEGUN, _STOPPED = word('begun'), word('stopped', 143, 'stopped by SIGTERM; saved as a.pth')
_MISTAKE, _LOST = word('error', 2, 'error: no data'), word('error', 2, 'error: rank 1 does not answer', lost=True)


@pytest.mark.parametrize(
    'words, received, status, line',
    [
        ({0: _LOST, 1: _MISTAKE}, None, 2, 'error: no data'),  # who knows the cause
        ({0: _LOST, 1: _BEGUN}, None, 2, 'error: rank 1 does not answer'),
        ({0: _STOPPED, 1: word('defect', 1, 'KeyError: 3')}, None, 1, r'error: rank 1 failed, .*: KeyError: 3'),
        ({0: _STOPPED, 1: _BEGUN}, None, 1, 'error: rank 1 ended without a word.*'),  # torchrun stopped the other
        ({0: _STOPPED, 1: _STOPPED}, 15, 143, 'stopped by SIGTERM; saved as a.pth'),
        ({0: _STOPPED, 1: _LOST}, 15, 143, 'stopped by SIGTERM; saved as a.pth'),  # the other ended first
        ({0: _LOST, 1: _STOPPED}, None, 2, 'error: rank 1 does not answer'),  # torchrun passed its own signal on
        ({0: _MISTAKE, 1: _STOPPED}, 15, 2, 'error: no data'),  # the one that saves found no room
        ({0: _BEGUN, 1: _BEGUN}, 15, 143, 'stopped by SIGTERM'),
        ({0: _STOPPED, 1: _STOPPED}, None, 143, 'stopped by SIGTERM; saved as a.pth'),
        ({}, None, 1, 'error: no process came to its work, see above'),
    ],
)
def test_the_last_word_names_the_cause(
    launch: ModuleType, words: dict, received: int | None, status: int, line: str
) -> None:
    found = launch.last_word(words, received)
    assert found[0] == status and re.fullmatch(line, found[1])


def test_words_of_the_last_start_count(launch: ModuleType, tmp_path: Path) -> None:
    for name, content in {'0-0': _MISTAKE, '0-1': _LOST, '1-0': _STOPPED}.items():
        (tmp_path / f'{name}.json').write_text(json.dumps(content))
    assert launch.read_words(str(tmp_path)) == {0: _STOPPED}


@pytest.fixture
def slurm(tmp_path: Path, repo_root: Path):
    """Run ``slurm_train.sh`` with an ``srun`` that ends with a status and a ``scontrol`` that knows the job's state."""

    def run(status: int, state: str = 'RUNNING', **env: str) -> tuple[int, list[str], str]:
        calls = tmp_path / 'calls'
        calls.write_text('')
        tools = dict(
            srun=f'echo "srun $@" >> {calls}; exit {status}',
            scontrol=f'echo "scontrol $@" >> {calls}; echo "   JobState={state} Reason=None"',
        )
        for name, text in tools.items():
            (tmp_path / name).write_text(f'#!/bin/sh\n{text}\n')
            (tmp_path / name).chmod(0o755)
        clean = {key: value for key, value in os.environ.items() if not key.startswith('SLURM_')}
        done = subprocess.run(
            ['bash', str(repo_root / 'tools/slurm_train.sh'), 'part', 'job', 'c.py', 'work', '--amp'],
            capture_output=True,
            text=True,
            env={**clean, **env, 'PATH': f'{tmp_path}:{os.environ["PATH"]}'},
        )
        return done.returncode, calls.read_text().splitlines(), done.stderr

    return run


def test_a_preempted_batch_job_is_queued_again(slurm) -> None:
    status, calls, said = slurm(143, SLURM_JOB_ID='7')
    assert status == 143 and calls[-1] == 'scontrol requeue 7'
    assert 'job 7 is queued again' in said and '--resume' not in calls[0]


def test_a_job_that_was_queued_again_resumes(slurm) -> None:
    _, calls, _ = slurm(0, SLURM_JOB_ID='7', SLURM_RESTART_COUNT='1')
    assert calls[0].endswith('--launcher slurm --amp') and len(calls) == 1  # train.py knows by the environment


@pytest.mark.parametrize('status, env', [(143, {}), (2, {'SLURM_JOB_ID': '7'}), (0, {'SLURM_JOB_ID': '7'})])
def test_others_are_not_queued_again(slurm, status: int, env: dict) -> None:
    found, calls, said = slurm(status, **env)
    assert found == status and len(calls) == 1
    assert ('start it again with --resume' in said) == (status == 143)


def test_a_cancelled_job_is_not_queued_again(slurm) -> None:
    _, calls, _ = slurm(143, state='CANCELLED', SLURM_JOB_ID='7')
    assert calls[1:] == ['scontrol show job 7']
