"""What the quick start refuses before it does anything."""

import subprocess
from pathlib import Path


def test_work_dir_is_named_by_its_variable(repo_root: Path) -> None:
    done = subprocess.run(
        ['bash', str(repo_root / 'tools/quickstart.sh'), '--work-dir', 'elsewhere'], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr == 'quickstart.sh: name the results folder by WORK_DIR=FOLDER, not by --work-dir\n'
    assert done.stdout == ''
