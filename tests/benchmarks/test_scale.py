"""The benchmark of growing sizes runs and draws its curves; what it times is not asserted."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from sdpose.benchmarks.scale import Point, draw

_TOOL = Path(__file__).parents[2] / 'tools/analysis_tools/benchmark.py'


@pytest.mark.long
def test_the_quick_form_measures_every_curve(tmp_path: Path) -> None:
    file, picture = tmp_path / 'scale.json', tmp_path / 'scale.png'
    command = [sys.executable, _TOOL, 'scale', '--quick', '--json', file, '--plot', picture]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    assert sorted(tmp_path.iterdir()) == [file, picture]
    rows = json.loads(file.read_text())[0]['rows']
    kinds = [row['what'] for row in rows]
    assert list(dict.fromkeys(kinds)) == [
        'boxes on a picture',
        'images of the metric',
        'images of the annotation file',
        'workers',
        'processes of an evaluation',
    ]
    assert [row['value'] for row in rows if row['what'] == 'processes of an evaluation'] == [1, 2]
    assert all(row['here'] > 0 for row in rows) and cv2.imread(str(picture)).shape[1] > 1000


def test_a_curve_without_mmpose_is_drawn(tmp_path: Path) -> None:
    file = tmp_path / 'curves.png'
    draw([Point('a', 1, 's', None, 2.0), Point('a', 2, 's', None, 3.0), Point('b', 1, 's', 1.0, 0.5)], str(file))
    assert cv2.imread(str(file)).std() > 5
