"""Interrupted trainings end as if they had never been interrupted."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.mark.parametrize('count, seed', [(5, 0), pytest.param(110, 1, marks=pytest.mark.long)])
def test_interrupted_trainings_end_alike(run_tool: Callable, tmp_path: Path, count: int, seed: int) -> None:
    done = run_tool('tests/campaigns/kills.py', tmp_path / 'kills', '--count', count, '--seed', seed, timeout=3000)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    moments, interruptions = map(int, re.findall(r'(\d+) moments, (\d+) interruptions', done.stdout)[0])
    assert moments > 300 and interruptions > 0.8 * count
