"""Signals and a full disk during a training."""

import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

_LONG = [
    '--cfg-options',
    'train_cfg.max_epochs=1000',
    'default_hooks.checkpoint.interval=1000',
    'train_dataloader.num_workers=2',
]


@pytest.mark.parametrize('number, status', [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_to_the_whole_group_ends_in_one_line(
    workspace: Path, repo_root: Path, tool_env: dict, number: int, status: int
) -> None:
    """As a terminal and a batch system send it: to the workers of the loader, too."""
    run = subprocess.Popen(
        [sys.executable, str(repo_root / 'tools/train.py'), 'tiny.py', '--work-dir', 'run', *_LONG],
        cwd=workspace,
        env=tool_env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    lines = []
    for line in run.stdout:
        lines.append(line)
        if len([each for each in lines if 'Epoch(train)' in each]) == 4 and 'Epoch(train)' in line:
            os.killpg(run.pid, number)
            sent = time.monotonic()
    assert run.wait(30) == status and time.monotonic() - sent < 10
    assert lines[-1].startswith('stopped') and not any('Traceback' in line for line in lines)
    saved = [path.name for path in (workspace / 'run').glob('*.pth')]
    assert len(saved) == (number == signal.SIGTERM)
    if saved:
        assert re.fullmatch(r'stopped by SIGTERM; saved as .*/stopped_iter_\d+\.pth; --resume .*\n', lines[-1])


@pytest.mark.parametrize('limit, named', [(300_000, 'epoch_1.pth'), (12_000, r'\d+_\d+\.log')])
def test_a_file_that_finds_no_room_is_one_line(
    workspace: Path, repo_root: Path, tool_env: dict, limit: int, named: str
) -> None:
    """A limit of size answers as a full disk does."""
    done = subprocess.run(
        [
            sys.executable,
            str(repo_root / 'tools/train.py'),
            'tiny.py',
            '--work-dir',
            'run',
            '--no-validate',
            '--cfg-options',
            'train_cfg.max_epochs=1',
        ],
        cwd=workspace,
        env=tool_env,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert done.returncode == 2
    assert re.search(rf'error: .*/{named} could not be written: File too large\. ', done.stderr.splitlines()[-1])
    assert 'Traceback' not in done.stderr
    assert not list((workspace / 'run').glob('*.pth')) and not list((workspace / 'run').glob('.*.tmp'))


@pytest.mark.long
def test_a_damaged_newest_checkpoint_is_passed_over(workspace: Path, run_tool: Callable) -> None:
    options = [
        '--no-validate',
        '--cfg-options',
        'train_cfg.max_epochs=2',
        'default_hooks.checkpoint.interval=1',
        'train_dataloader.num_workers=0',
    ]
    run_tool('tools/train.py', 'tiny.py', '--work-dir', 'run', *options, cwd=workspace, check=True)
    newest = workspace / 'run/epoch_2.pth'
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1  # one bit of one weight
    newest.write_bytes(content)
    options[2] = 'train_cfg.max_epochs=3'
    done = run_tool('tools/train.py', 'tiny.py', '--work-dir', 'run', '--resume', *options, cwd=workspace, check=True)
    said = done.stdout + done.stderr
    assert re.search(r'passed over: .*run/epoch_2\.pth is not a complete checkpoint', said)
    assert 'resumed epoch: 1' in said
