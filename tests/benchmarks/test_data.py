"""The loader's benchmark runs; what it times is not asserted."""

import json
import subprocess
import sys
from pathlib import Path

_TOOL = Path(__file__).parents[2] / 'tools/analysis_tools/benchmark.py'


def test_the_quick_form_writes_speed_and_bytes(tmp_path: Path) -> None:
    file = tmp_path / 'data.json'
    subprocess.run([sys.executable, _TOOL, 'data', '--quick', '--json', file], check=True, capture_output=True)
    speed, steps = json.loads(file.read_text())
    mmpose, ours = speed['rows']
    assert (mmpose['loader'], mmpose['speed'], mmpose['bytes']) == ('MMPose', 1.0, 1.0)
    assert ours['bytes'] <= 0.45 and ours['cores'] > 0
    assert len(steps['rows']) == 9


def test_half_a_source_is_refused() -> None:
    result = subprocess.run([sys.executable, _TOOL, 'data', '--images', '.'], capture_output=True, text=True)
    assert result.returncode == 2 and '--ann-file and --images belong together' in result.stderr
