"""Every place that reads a checkpoint meets hostile and damaged ones with one line."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.mark.long
def test_files_are_refused_or_loaded(run_tool: Callable, tmp_path: Path) -> None:
    done = run_tool('tests/campaigns/files.py', tmp_path / 'files', '--entries', 3, timeout=3000)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    files, calls, refused = map(
        int, re.findall(r'(\d+) files, (\d+) calls of 10 entry points: (\d+) refused', done.stdout)[0]
    )
    assert files >= 100 and calls > 2 * files and refused > 0.8 * calls
