"""Every tool answers a wrong command line with one clear line."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from wrong_command_lines import every_one


def test_there_are_enough_of_every_kind() -> None:
    lines = every_one()
    assert len(set(lines)) == len(lines) >= 200
    tools = Path(__file__).parents[2] / 'tools'
    assert {line.tool for line in lines} <= {path.relative_to(tools).as_posix() for path in tools.rglob('*.*')}
    assert len({line.tool for line in lines}) >= 14


@pytest.mark.parametrize('count, seed', [(25, 0), pytest.param(0, 1, marks=pytest.mark.long)])
def test_wrong_command_lines_are_answered_clearly(run_tool: Callable, tmp_path: Path, count: int, seed: int) -> None:
    """A count of 0 stands for all of them."""
    done = run_tool(
        'tests/campaigns/command_lines.py', tmp_path / 'lines', '--count', count, '--seed', seed, timeout=3000
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-3000:]
    assert re.search(r'\d+ clear, 0 traceback, 0 silent, 0 hang', done.stdout)
