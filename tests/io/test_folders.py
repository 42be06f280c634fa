"""Folders that a run writes to."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sdpose.errors import UserError
from sdpose.io.folders import require_writable, sole_training


def test_makes_the_folder_and_leaves_nothing_in_it(tmp_path: Path) -> None:
    require_writable(tmp_path / 'a' / 'b', '--out')
    assert list((tmp_path / 'a' / 'b').iterdir()) == []


@pytest.mark.parametrize('folder', ['/proc/nowhere', '/sys'])
def test_unwritable_folders_are_named_with_the_option(folder: str) -> None:
    with pytest.raises(UserError, match=f'^--out x.json: the folder {folder} cannot be written'):
        require_writable(folder, '--out x.json')


def test_one_training_per_folder(tmp_path: Path) -> None:
    with sole_training(tmp_path):
        code = f'from sdpose.io.folders import sole_training\nwith sole_training({str(tmp_path)!r}): pass'
        second = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
        assert second.returncode == 1
        assert 'is in use by another training (process' in second.stderr
    with sole_training(tmp_path):
        pass  # free again


def test_a_killed_training_frees_its_folder(tmp_path: Path) -> None:
    code = ('import os\nfrom sdpose.io.folders import sole_training\n'
            f'with sole_training({str(tmp_path)!r}): os.kill(os.getpid(), 9)')
    assert subprocess.run([sys.executable, '-c', code]).returncode == -9
    with sole_training(tmp_path):
        pass


@pytest.mark.parametrize('link', [Path.symlink_to, Path.hardlink_to])
def test_the_lock_is_not_written_through_a_link(tmp_path: Path, link) -> None:
    (tmp_path / 'run').mkdir()
    (tmp_path / 'thesis.txt').write_text('years of work')
    link(tmp_path / 'run/.lock', tmp_path / 'thesis.txt')
    with sole_training(tmp_path / 'run'):
        assert (tmp_path / 'run/.lock').read_text() == str(os.getpid())
    assert (tmp_path / 'thesis.txt').read_text() == 'years of work'


def test_a_child_does_not_keep_the_folder(tmp_path: Path) -> None:
    """As a loader's workers outlive a killed training for seconds."""
    code = ('import os, time\nfrom sdpose.io.folders import sole_training\n'
            f'with sole_training({str(tmp_path)!r}):\n    if os.fork(): os.kill(os.getpid(), 9)\n    time.sleep(20)')
    child = subprocess.Popen([sys.executable, '-c', code], start_new_session=True)
    assert child.wait() == -9
    with sole_training(tmp_path):
        pass
    os.killpg(child.pid, 9)


def test_a_pipe_in_place_of_the_lock_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / '.lock')
    with sole_training(tmp_path):
        assert (tmp_path / '.lock').is_file()
