"""Files that are complete or absent."""

import os
import socket
import stat
from pathlib import Path

import pytest

from sdpose.errors import UserError
from sdpose.io.atomic import atomic_write


def names(folder: Path) -> list:
    return sorted(path.name for path in folder.iterdir())


def test_writes_bytes_and_text_and_makes_folders(tmp_path: Path):
    with atomic_write(tmp_path / 'a' / 'b' / 'x.bin') as file:
        file.write(b'\x00\xff')
    with atomic_write(tmp_path / 'y.txt', 'w') as file:
        file.write('müde')
    assert (tmp_path / 'a' / 'b' / 'x.bin').read_bytes() == b'\x00\xff'
    assert (tmp_path / 'y.txt').read_text(encoding='utf-8') == 'müde'
    assert names(tmp_path) == ['a', 'y.txt']


def test_an_exception_keeps_the_previous_file(tmp_path: Path):
    target = tmp_path / 'x.txt'
    target.write_text('old')
    with pytest.raises(ZeroDivisionError):
        with atomic_write(target, 'w') as file:
            file.write('new')
            assert target.read_text() == 'old'
            raise ZeroDivisionError
    assert target.read_text() == 'old'
    assert names(tmp_path) == ['x.txt']


@pytest.mark.parametrize('link', [Path.symlink_to, Path.hardlink_to])
def test_a_link_is_replaced_and_what_it_leads_to_stays(tmp_path: Path, link):
    (tmp_path / 'real.txt').write_text('old')
    link(tmp_path / 'link.txt', tmp_path / 'real.txt')
    with atomic_write(tmp_path / 'link.txt', 'w') as file:
        file.write('new')
    assert not (tmp_path / 'link.txt').is_symlink()
    assert (tmp_path / 'link.txt').read_text() == 'new'
    assert (tmp_path / 'real.txt').read_text() == 'old'


def test_a_full_disk_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(descriptor: int) -> None:
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', full)
    with pytest.raises(OSError, match='x.txt') as caught:
        with atomic_write(tmp_path / 'x.txt', 'w') as file:
            file.write('x')
    assert (caught.value.errno, caught.value.filename) == (28, str(tmp_path / 'x.txt'))
    assert names(tmp_path) == []


def test_permissions_follow_the_umask(tmp_path: Path):
    old = os.umask(0o027)
    try:
        with atomic_write(tmp_path / 'x.txt', 'w') as file:
            file.write('x')
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / 'x.txt').stat().st_mode) == 0o640


def test_leftovers_of_dead_writers_are_removed_and_of_living_ones_kept(tmp_path: Path):
    host = socket.gethostname()
    dead = 2**22 + 1  # above the largest process number of Linux
    for name in (f'.a.pth~{host}~{dead}~0.tmp', f'.a.pth~{host}~{os.getppid()}~0.tmp', '.a.pth~elsewhere~1~0.tmp'):
        (tmp_path / name).write_text('half')
    old = tmp_path / '.b.pth~elsewhere~1~0.tmp'
    old.write_text('half')
    os.utime(old, (0, 0))
    with atomic_write(tmp_path / 'x.txt', 'w') as file:
        file.write('x')
    assert names(tmp_path) == sorted([f'.a.pth~{host}~{os.getppid()}~0.tmp', '.a.pth~elsewhere~1~0.tmp', 'x.txt'])


def test_a_folder_of_that_name_is_one_line_and_stays(tmp_path: Path):
    (tmp_path / 'epoch_1.pth' / 'mine').mkdir(parents=True)
    with pytest.raises(UserError, match='^.*/epoch_1.pth is a folder, and a file of that name is to be written: move'):
        with atomic_write(tmp_path / 'epoch_1.pth') as file:
            file.write(b'x')
    assert names(tmp_path) == ['epoch_1.pth'] and (tmp_path / 'epoch_1.pth' / 'mine').is_dir()


def test_refuses_to_append(tmp_path: Path):
    with pytest.raises(ValueError, match="must be 'wb' or 'w', not 'a'"):
        with atomic_write(tmp_path / 'x', 'a'):
            pass
