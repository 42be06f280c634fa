"""Timing in turns, ratios, tables and the machine's peak."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sdpose.benchmarks.machine import machine
from sdpose.benchmarks.peak import SIDES, gemm_peak
from sdpose.benchmarks.table import Table
from sdpose.benchmarks.timing import clock_for, interleaved, ratio


def test_variants_are_run_in_turns_that_rotate_and_warm_up_is_not_counted() -> None:
    ticks = iter(range(1000))
    calls: list[str] = []
    variants = {'a': lambda: calls.append('a'), 'b': lambda: (calls.append('b'), next(ticks))}
    times = interleaved(variants, rounds=3, warmup=1, clock=lambda: float(next(ticks)))
    assert ''.join(calls) == 'ba' + 'ab' + 'ba' + 'ab'
    assert times == {'a': [1.0] * 3, 'b': [2.0] * 3}


def test_one_thread_is_timed_by_what_it_computes() -> None:
    clocks = clock_for(1), clock_for(2)
    begun = [clock() for clock in clocks]
    time.sleep(0.1)
    alone, several = (clock() - start for clock, start in zip(clocks, begun, strict=True))
    assert alone < 0.05 and several >= 0.1


def test_a_ratio_is_the_median_of_the_rounds_and_rounds_must_match() -> None:
    assert ratio([2.0, 9.0, 4.0], [1.0, 1.0, 1.0]) == 4.0
    with pytest.raises(ValueError):
        ratio([1.0], [1.0, 2.0])


def test_a_table_in_markdown_and_json() -> None:
    table = Table('t', ('name', 'ms'), [{'name': 'long name', 'ms': 1234.5}, {'name': 'b', 'ms': 0.012345}], ('one.',))
    lines = table.markdown().splitlines()
    assert lines[2:6] == [
        '| name      | ms     |',
        '|-----------|--------|',
        '| long name | 1234   |',
        '| b         | 0.0123 |',
    ]
    assert '- one.' in lines
    assert table.as_json()['rows'][1]['ms'] == 0.012345


def test_the_machine_names_what_was_measured_on(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(f', {name} ' in machine() for name in ('Python', 'torch', 'mmpose'))
    assert 'no-such-library' not in machine(['no-such-library'])
    monkeypatch.setitem(SIDES, 'cpu', 128)
    assert gemm_peak() > 1e8


@pytest.mark.parametrize(
    'arguments, said',
    [
        ('decode --batch 1 0', 'error: --batch 0: give at least 1'),
        ('decode --threads -2', 'error: --threads -2: give at least 1'),
        ('train x --rounds 0', 'error: --rounds 0: give at least 1'),
        ('infer x --batches -1', 'error: --batches -1: give at least 1'),
        ('data --images-per-second nan', 'error: --images-per-second nan: give at least 1'),
        ('data --start-images -1', 'error: --start-images -1: give at least 0'),
        ('data --ann-file no.json --images .github', 'error: .*annotation file no.json is missing'),
        ('test --boxes 5 0', 'error: --boxes 0: give at least 1'),
        ('demo --pictures 0', 'error: --pictures 0: give at least 1'),
        ('metric --images 0', 'error: --images 0: give at least 1'),
        ('scale --workers 0 -1', 'error: --workers -1: give at least 0'),
        ('decode --json README.md/x.json', 'error: --json README.md/x.json: the folder .*README.md is a file'),
        ('scale --plot README.md/x.png', 'error: --plot README.md/x.png: the folder .*README.md is a file'),
    ],
)
def test_what_cannot_be_timed_is_refused_before_anything_is(
    run_tool: Callable, repo_root: Path, arguments: str, said: str
) -> None:
    done = run_tool('tools/analysis_tools/benchmark.py', *arguments.split(), cwd=repo_root)
    assert done.returncode == 2 and re.match(f'{said}[^\\n]*\\n$', done.stderr), done.stderr
