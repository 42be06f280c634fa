"""What a tool can do is said at once: before torch and MMPose, which take seconds, are imported."""

import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]
_TOOLS = sorted(
    file.relative_to(_ROOT).as_posix() for file in _ROOT.glob('tools/**/*.py') if 'parse_args()' in file.read_text()
)
# Runs a tool's --help and says which of the slow ones have been imported.
_CODE = """
import runpy, sys

sys.argv = [sys.argv[1], '--help']
try:
    runpy.run_path(sys.argv[0], run_name='__main__')
finally:
    print('imported:', {'torch', 'mmengine', 'mmpose', 'mmcv', 'cv2', 'scipy', 'matplotlib'} & {*sys.modules})
"""


@pytest.mark.parametrize('tool', _TOOLS)
def test_help_imports_nothing_that_takes_seconds(tool: str) -> None:
    done = subprocess.run([sys.executable, '-c', _CODE, tool], cwd=_ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith('usage: ') and done.stdout.endswith('imported: set()\n')
