"""``benchmark.py demo`` in its quick form: its table, not its times."""

import json
from collections.abc import Callable
from pathlib import Path


def test_inference_is_measured_beside_mmpose(run_tool: Callable, tmp_path: Path) -> None:
    file, config = tmp_path / 'demo.json', 'sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48'
    options = ('--quick', '--config', config, '--people', '1', '3', '--json', file)
    done = run_tool('tools/analysis_tools/benchmark.py', 'demo', *options)
    assert done.returncode == 0, done.stderr
    (table,) = json.loads(file.read_text())
    assert [row['people on a picture'] for row in table['rows']] == [1, 3]
    for row in table['rows']:
        for name in ('inference_topdown', 'inference_topdown, arrays', 'PoseInferencer'):
            assert 0 < row[f'{name}: host'] < row[f'{name}: total']
        assert row['total, times as fast'] > 0 and row['host, share'] > 0
    assert f'{config}; ' in done.stdout
