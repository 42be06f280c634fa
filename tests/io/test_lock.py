"""One training to a work folder."""

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from sdpose.errors import UserError
from sdpose.io.lock import lock_work_dir


def test_one_training_per_folder(tmp_path: Path) -> None:
    with lock_work_dir(tmp_path):
        code = f'from sdpose.io.lock import lock_work_dir\nwith lock_work_dir({str(tmp_path)!r}): pass'
        second = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
        assert second.returncode == 1
        assert 'is in use by another run (process' in second.stderr and 'its own --work-dir' in second.stderr
    with lock_work_dir(tmp_path):
        pass  # free again


def test_a_killed_training_frees_its_folder(tmp_path: Path) -> None:
    code = (
        'import os\nfrom sdpose.io.lock import lock_work_dir\n'
        f'with lock_work_dir({str(tmp_path)!r}): os.kill(os.getpid(), 9)'
    )
    assert subprocess.run([sys.executable, '-c', code]).returncode == -9
    with lock_work_dir(tmp_path):
        pass


@pytest.mark.parametrize('link', [Path.symlink_to, Path.hardlink_to])
def test_the_lock_is_not_written_through_a_link(tmp_path: Path, link) -> None:
    (tmp_path / 'run').mkdir()
    (tmp_path / 'thesis.txt').write_text('years of work')
    link(tmp_path / 'run/.lock', tmp_path / 'thesis.txt')
    with lock_work_dir(tmp_path / 'run'):
        assert (tmp_path / 'run/.lock').read_text() == str(os.getpid())
    assert (tmp_path / 'thesis.txt').read_text() == 'years of work'


def test_a_child_does_not_keep_the_folder(tmp_path: Path) -> None:
    """As a loader's workers outlive a killed training for seconds."""
    code = (
        'import os, time\nfrom sdpose.io.lock import lock_work_dir\n'
        f'with lock_work_dir({str(tmp_path)!r}):\n    if os.fork(): os.kill(os.getpid(), 9)\n    time.sleep(20)'
    )
    child = subprocess.Popen([sys.executable, '-c', code], start_new_session=True)
    assert child.wait() == -9
    try:
        for _ in range(20):  # the child lets go as soon as it runs
            with suppress(UserError), lock_work_dir(tmp_path):
                return
            time.sleep(0.1)
        pytest.fail('a child that sleeps for 20 s keeps the folder')
    finally:
        os.killpg(child.pid, 9)


def test_a_pipe_in_place_of_the_lock_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / '.lock')
    with lock_work_dir(tmp_path):
        assert (tmp_path / '.lock').is_file()
