"""The loader's benchmark runs; what it times is not asserted."""

import json
import subprocess
import sys
from pathlib import Path

_TOOL = Path(__file__).parents[2] / 'tools/analysis_tools/benchmark.py'


def test_the_quick_form_writes_speed_and_bytes(tmp_path: Path) -> None:
    file = tmp_path / 'data.json'
    subprocess.run([sys.executable, _TOOL, 'data', '--quick', '--json', file], check=True, capture_output=True)
    speed, steps, start = json.loads(file.read_text())
    mmpose, *ours = speed['rows']
    assert (mmpose['loader'], mmpose['speed'], mmpose['bytes']) == ('MMPose', 1.0, 1.0)
    *here, on_device = ours
    assert [each['loader'] for each in here] == ['SDPose', 'SDPose, raw crops', 'SDPose, jpeg crops']
    assert on_device['loader'] == 'SDPose, raw crops, warped by the device'
    assert all(each['bytes'] <= 0.45 for each in here) and all(each['cores'] > 0 for each in ours)
    assert len(steps['rows']) == 9
    assert len(start['rows']) == 3 and all(row['s'] > 0 for row in start['rows'])


def test_half_a_source_is_refused() -> None:
    result = subprocess.run([sys.executable, _TOOL, 'data', '--images', '.'], capture_output=True, text=True)
    assert result.returncode == 2 and '--ann-file and --images belong together' in result.stderr
