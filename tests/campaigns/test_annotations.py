"""Odd annotation files end in one line, in a warning, or are read as they are meant."""

import re
from collections.abc import Callable
from pathlib import Path

import annotations


def test_the_files_are_many_and_the_seeds() -> None:
    names = [name for name, _, _ in annotations.files(0)]
    assert len(set(names)) == len(names) >= 60
    text = '{"images": [{"id": 1}, {"id": 2}, {"id": 3}], "annotations": [{"id": 1}, {"id": 2}, {"id": 3}]}'
    once = [change(text) for name, change, _ in annotations.files(3) if name == 'image ids equal, once']
    assert once == [change(text) for name, change, _ in annotations.files(3) if name == 'image ids equal, once']


def test_odd_files_are_clear_warned_of_or_read(run_tool: Callable, tmp_path: Path) -> None:
    done = run_tool('tests/campaigns/annotations.py', tmp_path / 'files', '--runs', 2, timeout=900)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    line = re.findall(r'^(\d+) files: (.*)$', done.stdout, re.M)[-1]
    assert int(line[0]) >= 60 and ' 0 silent, 0 unclear, 0 traceback, 0 hang, 2 trained' in line[1], line
