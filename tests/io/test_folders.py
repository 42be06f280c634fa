"""Folders that a run writes to."""

from pathlib import Path

import pytest

from sdpose.errors import UserError
from sdpose.io.folders import remove_empty_folders, require_writable


def test_makes_the_folder_and_leaves_nothing_in_it(tmp_path: Path) -> None:
    require_writable(tmp_path / 'a' / 'b', '--out')
    assert list((tmp_path / 'a' / 'b').iterdir()) == []


def test_what_was_made_and_stayed_empty_is_removed(tmp_path: Path) -> None:
    (tmp_path / 'before').mkdir()
    for folder in ('a/b', 'a/c', 'before', 'd/e'):
        require_writable(tmp_path / folder, '--out')
    (tmp_path / 'a/c/result').touch()
    remove_empty_folders()
    left = sorted(str(each.relative_to(tmp_path)) for each in tmp_path.rglob('*'))
    assert left == ['a', 'a/c', 'a/c/result', 'before']


@pytest.mark.parametrize('folder', ['file', 'file/a/b'])
def test_a_file_in_the_way_is_named(folder: str, tmp_path: Path) -> None:
    (tmp_path / 'file').touch()
    wanted = f'^--out: the folder {tmp_path}/{folder} cannot be written .{tmp_path}/file is a file.$'
    with pytest.raises(UserError, match=wanted):
        require_writable(tmp_path / folder, '--out')


@pytest.mark.parametrize('folder', ['/proc/nowhere', '/sys'])
def test_unwritable_folders_are_named_with_the_option(folder: str) -> None:
    with pytest.raises(UserError, match=f'^--out x.json: the folder {folder} cannot be written'):
        require_writable(folder, '--out x.json')
