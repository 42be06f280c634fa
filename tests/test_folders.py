"""Folders that a run writes to."""

import subprocess
import sys
from pathlib import Path

import pytest

from sdpose.errors import UserError
from sdpose.folders import require_writable, sole_training


def test_makes_the_folder_and_leaves_nothing_in_it(tmp_path: Path) -> None:
    require_writable(tmp_path / 'a' / 'b', '--out')
    assert list((tmp_path / 'a' / 'b').iterdir()) == []


@pytest.mark.parametrize('folder', ['/proc/nowhere', '/sys'])
def test_unwritable_folders_are_named_with_the_option(folder: str) -> None:
    with pytest.raises(UserError, match=f'^--out x.json: the folder {folder} cannot be written'):
        require_writable(folder, '--out x.json')


def test_one_training_per_folder(tmp_path: Path) -> None:
    with sole_training(tmp_path):
        code = f'from sdpose.folders import sole_training\nwith sole_training({str(tmp_path)!r}): pass'
        second = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
        assert second.returncode == 1
        assert 'is in use by another training (process' in second.stderr
    with sole_training(tmp_path):
        pass  # free again


def test_a_killed_training_frees_its_folder(tmp_path: Path) -> None:
    code = ('import os\nfrom sdpose.folders import sole_training\n'
            f'with sole_training({str(tmp_path)!r}): os.kill(os.getpid(), 9)')
    assert subprocess.run([sys.executable, '-c', code]).returncode == -9
    with sole_training(tmp_path):
        pass
