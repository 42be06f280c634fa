"""``benchmark.py metric`` and ``decode`` in their quick forms: their tables and the equality of numbers, not times."""

import json
from collections.abc import Callable
from pathlib import Path


def tables(run_tool: Callable, subject: str, file: Path, *options: str) -> list[list[dict]]:
    """The rows of each table."""
    done = run_tool('tools/analysis_tools/benchmark.py', subject, '--quick', *options, '--json', str(file))
    assert done.returncode == 0, done.stderr
    return [table['rows'] for table in json.loads(file.read_text())]


def test_evaluation_is_measured_beside_mmpose(run_tool: Callable, tmp_path: Path) -> None:
    kinds, scale = tables(run_tool, 'metric', tmp_path / 'metric.json')
    assert [row['evaluation'] for row in kinds] == ['COCO', 'CrowdPose']
    assert [row['images'] for row in scale] == [20, 60]
    for row in kinds + scale:
        assert row['largest difference'] == 0 and row['times as fast'] > 0 and row['here, MiB'] >= 0


def test_decoding_is_measured_beside_mmpose(run_tool: Callable, tmp_path: Path) -> None:
    (rows,) = tables(run_tool, 'decode', tmp_path / 'decode.json', '--batch', '1', '3')
    assert [(row['input'], row['people at once']) for row in rows] == [
        (size, batch) for size in ('256x192', '384x288') for batch in (1, 3)
    ]
    assert all(row['largest difference'] < 1e-4 and row['times as fast'] > 0 for row in rows)
