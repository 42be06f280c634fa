"""Annotations are parsed once, kept as arrays, and parsed again when they have changed."""

import errno
import json
import multiprocessing
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sdpose.errors import DataError
from sdpose.io.annotation_store import ABSENT, PARTS, Store, cache, from_content, open_store, store
from sdpose.io.annotation_store.arrays import parse


def person(number: int, **changes: Any) -> dict[str, Any]:
    joints = [number, 2.5, 2, 0, 0, 0]
    return dict(dict(id=number, image_id=7, category_id=1, bbox=[1, 2, 3, 4.5], keypoints=joints), **changes)


def content(*people: dict[str, Any]) -> dict[str, Any]:
    images = [dict(id=9, file_name='ä/b.jpg', width=4, height=3), dict(id=7, file_name='c.jpg', crowdIndex=0.5)]
    return dict(images=images, annotations=list(people), categories=[dict(id=1, name='person')])


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An annotation file that is kept although it is small."""
    monkeypatch.setattr(store, '_SMALL', 0)
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'home'))
    file = tmp_path / 'data/a.json'
    file.parent.mkdir()
    file.write_text(json.dumps(content(person(1), person(2, num_keypoints=1, area=2, iscrowd=1))))
    return file


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is said of files that are parsed."""
    said: list[str] = []
    monkeypatch.setattr(store, 'print_log', lambda line, logger: said.append(line))
    return said


def opened(file: Path) -> Store:
    """As another process opens it."""
    store._open.cache_clear()
    found = open_store(file)
    assert found is not None
    return found


def ids(file: Path) -> list[int]:
    return opened(file).arrays.ids.tolist()


def test_every_field_by_hand(file: Path) -> None:
    found = opened(file)
    arrays = found.arrays
    assert found.names() == ['ä/b.jpg', 'c.jpg'] == [found.name(0), found.name(1)]
    assert arrays.image_ids.tolist() == [9, 7] and arrays.image_sizes.tolist() == [[4, 3], [0, 0]]
    assert np.isnan(arrays.crowding[0]) and arrays.crowding[1] == 0.5
    assert arrays.images.tolist() == [1, 1] and arrays.categories.tolist() == [1, 1]
    assert arrays.boxes.tolist() == [[1, 2, 3, 4.5]] * 2
    assert arrays.joints.tolist() == [[[1, 2.5, 2], [0, 0, 0]], [[2, 2.5, 2], [0, 0, 0]]]
    assert arrays.joints.dtype == np.float32 and arrays.listed.tolist() == [2, 2]
    assert arrays.counted.tolist() == [ABSENT, 1] and arrays.crowds.tolist() == [0, 1]
    assert np.isnan(arrays.areas[0]) and arrays.areas[1] == 2
    assert [found.entry(place) for place in (0, 1)] == json.loads(file.read_text())['annotations']
    assert found.categories == [dict(id=1, name='person')]
    with pytest.raises(ValueError, match='read-only'):
        arrays.ids[0] = 5


def test_what_an_annotation_may_lack_and_numbers_that_need_double_precision() -> None:
    bare = dict(id=3, image_id=8, category_id=2)
    data = json.dumps(content(person(1, keypoints=[0.1, 2, 2]), bare, person(4, keypoints=[]))).encode()
    arrays, _ = parse(data) or pytest.fail('it is plain')
    assert arrays.joints.dtype == np.float64 and arrays.joints[0].tolist() == [[0.1, 2, 2]]
    assert arrays.listed.tolist() == [1, -1, 0] and np.isnan(arrays.joints[1:]).all()
    assert arrays.images.tolist() == [1, -1, 1] and np.isnan(arrays.boxes[1]).all()
    loose = from_content(json.loads(data))
    assert all(np.array_equal(*pair, equal_nan=True) for pair in zip(loose[:-2], arrays[:-2]))
    assert (parse(b'{"annotations": [ ], "images":[]}') or pytest.fail('it is plain'))[0].joints.shape == (0, 0, 3)


def test_parts_of_whole_bodies() -> None:
    parts = {name: [number + 0.5, 3, 2] * count for number, (name, count) in enumerate(PARTS.items())}
    lacking = {name: parts[name] for name in ('foot_kpts', 'face_kpts')}
    people = [person(1, **lacking), person(2, **parts), person(3)]
    arrays, _ = parse(json.dumps(content(*people)).encode()) or pytest.fail('it is plain')
    assert arrays.parts.shape == (3, 116, 3) and arrays.parts.dtype == np.float32
    assert np.isnan(arrays.parts[[0, 2]]).all() and (arrays.parts[1, :, 1:] == (3, 2)).all()
    expected = [0.5] * 6 + [1.5] * 68 + [2.5] * 21 + [3.5] * 21
    assert arrays.parts[1, :, 0].tolist() == expected and arrays.joints.shape == (3, 2, 3)
    assert from_content(content(*people)).parts.shape == (3, 0, 3)
    for wrong in ([1, 2, 2] * 5, [1, 2, 2] * 7, None, 'x'):
        assert parse(json.dumps(content(person(2, **{**parts, 'foot_kpts': wrong}))).encode()) is None


@pytest.mark.parametrize('indent', [None, 0, 3])
def test_places_in_the_file_hold_for_any_white_space(file: Path, indent: int | None) -> None:
    people = [person(number, note='}, {"id": 5', segmentation=[[1, 2]]) for number in range(1, 5)]
    file.write_text(json.dumps(content(*people), indent=indent, ensure_ascii=indent == 0))
    found = opened(file)
    assert [found.entry(place) for place in range(4)] == people


@pytest.mark.parametrize(
    'change',
    [
        lambda text: text.replace('"id": 1,', '"id": 1.0,'),
        lambda text: text.replace('"id": 1,', '"id": "1",'),
        lambda text: text.replace('"iscrowd": 1', '"iscrowd": true'),
        lambda text: text.replace('4.5', 'NaN'),
        lambda text: text.replace('4.5', '1e400'),
        lambda text: text.replace('[1, 2.5, 2, 0, 0, 0]', '[[1, 2.5, 2], [0, 0, 0]]'),
        lambda text: text.replace('[1, 2.5, 2, 0, 0, 0]', '[1, 2.5, 2]'),
        lambda text: text.replace('"c.jpg"', '"c\\u0000.jpg"'),
        lambda text: text.replace('"categories": [', '"categories": [1, '),
        lambda text: '\ufeff' + text,
        lambda text: text[:-9],
    ],
)
def test_what_is_not_plain_is_left_to_others(file: Path, change: Any) -> None:
    assert opened(file) is not None
    text = change(file.read_text())
    assert text != file.read_text()
    file.write_text(text)
    store._open.cache_clear()
    assert open_store(file) is None
    assert open_store(file.with_name('absent.json')) is open_store(file.parent) is None


def test_it_is_parsed_once_and_again_when_it_has_changed(file: Path, lines: list[str]) -> None:
    kept = file.parent / cache.FOLDER / 'a.json.arrays'
    assert ids(file) == ids(file) == [1, 2]
    assert opened(file).mapped and len(lines) == 1
    assert lines[0].startswith(f'{file}: 2 annotations parsed in ') and lines[0].endswith(f' s, kept in {kept}')
    os.utime(file, (1, 1))  # the same bytes
    assert ids(file) == [1, 2] and len(lines) == 1
    assert json.loads(kept.read_bytes().splitlines()[2])['state'][1] == 10**9
    text = file.read_text()
    file.write_text(text.replace('"id": 2,', '"id": 3,'))  # as many bytes
    assert ids(file) == [1, 3] and len(lines) == 2
    file.write_text(json.dumps(content(person(8))))
    assert ids(file) == [8] and len(lines) == 3


@pytest.mark.parametrize(
    'damage',
    [
        lambda data: data[: len(data) // 2],
        lambda data: data + b'\0',
        lambda data: b'',
        lambda data: data.replace(b'annotations 3\n', b'annotations 2\n'),
        lambda data: data[:-300] + bytes([data[-300] ^ 1]) + data[-299:],  # a single bit of an array
        lambda data: data.replace(b'"ids"', b'"odd"'),
        lambda data: data.replace(b'"<i8"', b'"|O8"'),
        lambda data: data.replace(b'"state"', b'"smile"'),
    ],
)
def test_a_damaged_cache_is_made_anew(file: Path, lines: list[str], damage: Any) -> None:
    kept = file.parent / cache.FOLDER / 'a.json.arrays'
    assert ids(file) == [1, 2]
    sound = kept.read_bytes()
    assert damage(sound) != sound
    kept.write_bytes(damage(sound))
    assert ids(file) == [1, 2] and len(lines) == 2
    assert kept.read_bytes() == sound


def test_where_the_folder_cannot_be_written_the_users_cache_is_taken(file: Path, lines: list[str]) -> None:
    (file.parent / cache.FOLDER).touch()  # no folder
    assert ids(file) == ids(file) == [1, 2]
    kept = list(cache.places(file))[1]
    assert kept.is_relative_to(Path(os.environ['XDG_CACHE_HOME'])) and kept.is_file()
    assert lines[0].endswith(f' s, kept in {kept}') and len(lines) == 1
    kept.unlink()
    Path(os.environ['XDG_CACHE_HOME']).rename(file.parent / 'gone')
    Path(os.environ['XDG_CACHE_HOME']).touch()
    assert ids(file) == [1, 2] and not opened(file).mapped
    assert 'held in memory, since ' in lines[1] and lines[1].endswith('cannot be written (Not a directory)')


def test_a_user_without_a_home_has_one_place_for_the_cache(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ('XDG_CACHE_HOME', 'HOME'):
        monkeypatch.delenv(name)
    monkeypatch.setattr(os, 'getuid', lambda: 2**31 - 7)  # of nobody
    assert ids(file) == [1, 2] and opened(file).mapped
    assert list(cache.places(file)) == [file.parent / cache.FOLDER / 'a.json.arrays']


def test_a_full_disk_leaves_nothing_and_the_arrays_in_memory(
    file: Path, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr('sdpose.io.atomic.os.fsync', full)
    assert ids(file) == [1, 2]
    assert len(lines) == 1 and lines[0].endswith('cannot be written (No space left on device)')
    assert [path.name for path in (file.parent / cache.FOLDER).iterdir()] == ['a.json.arrays.lock']


def test_small_files_are_not_kept(file: Path, lines: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, '_SMALL', 1 << 20)
    assert ids(file) == [1, 2] and lines == [] and os.listdir(file.parent) == ['a.json']


def test_an_entry_is_that_of_the_file_that_was_read(file: Path) -> None:
    found, people = opened(file), json.loads(file.read_text())['annotations']
    another = file.with_name('b.json')
    another.write_text(json.dumps(content(person(5), person(6))))
    os.replace(another, file)
    assert found.entry(1) == people[1]  # the old file, under no name any more
    found = opened(file)
    file.write_text(json.dumps(content(person(7), person(8))))
    with pytest.raises(DataError, match=f'^{file} was written while it was in use: start again$'):
        found.entry(1)
    with pytest.raises(DataError, match='was written while it was in use'):
        pickle.loads(pickle.dumps(found))


_READ = """
import sys
from sdpose.io.annotation_store import open_store, store
store._SMALL = 0
print(open_store(sys.argv[1]).arrays.ids.tolist())
"""


def test_processes_that_start_together_parse_once(file: Path) -> None:
    people = [person(number) for number in range(1, 3000)]
    file.write_text(json.dumps(content(*people)))
    started = [
        subprocess.Popen(
            [sys.executable, '-c', _READ, file], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for _ in range(3)
    ]
    said = [process.communicate(timeout=120)[0] for process in started]
    assert all(str(list(range(1, 3000))) in text for text in said)
    assert sum('2999 annotations parsed in' in text for text in said) == 1


def _entry(found: Store) -> tuple[bool, dict[str, Any]]:
    return found.mapped, found.entry(1)


def test_another_process_maps_the_arrays(file: Path) -> None:
    found = opened(file)
    assert len(pickle.dumps(found)) < 500
    with multiprocessing.get_context('spawn').Pool(1) as pool:
        # The small file is kept for this test alone: the process parses it.
        assert pool.apply(_entry, (found,)) == (False, found.entry(1))
