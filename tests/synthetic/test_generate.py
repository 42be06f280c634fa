"""Whole sets: the same files however they are drawn, all or nothing, and never over something else."""

import json
import os
import signal

import cv2
import pytest

from sdpose.errors import DataError, Stopped, UserError
from sdpose.synthetic.generate import GENERATOR_VERSION, generate
from sdpose.synthetic.request import Request, parse_size

REQUEST = Request(num_train=5, num_val=3, seed=1, level='normal', size=(160, 120))


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob('*')) if path.is_file()}


@pytest.fixture(scope='module')
def drawn(tmp_path_factory):
    out = tmp_path_factory.mktemp('synthetic') / 'set'
    assert generate(out, REQUEST, workers=1)
    return out


def test_layout(drawn):
    files = contents(drawn)
    assert len([name for name in files if name.startswith('train/')]) == 5
    assert {'annotations/train.json', 'annotations/val.json', 'contact_sheet.png', 'synthetic.json'} <= set(files)
    assert json.loads(files['synthetic.json']) == dict(
        generator_version=GENERATOR_VERSION, num_train=5, num_val=3, seed=1, level='normal', size=[160, 120]
    )
    for split in ('train', 'val'):
        for image in json.loads(files[f'annotations/{split}.json'])['images']:
            assert cv2.imread(str(drawn / split / image['file_name'])).shape == (image['height'], image['width'], 3)


@pytest.mark.parametrize('workers', [2, 3])
def test_number_of_processes_changes_no_byte(drawn, tmp_path, workers):
    seen = []
    generate(tmp_path / 'set', REQUEST, workers, progress=lambda done, total: seen.append((done, total)))
    assert contents(tmp_path / 'set') == contents(drawn)
    assert seen == [(number, 8) for number in range(1, 9)]


def test_more_training_pictures_leave_the_others_as_they_were(drawn, tmp_path):
    generate(tmp_path / 'set', Request(6, 3, 1, 'normal', (160, 120)), workers=1)
    larger, smaller = contents(tmp_path / 'set'), contents(drawn)
    assert all(larger[name] == smaller[name] for name in smaller if name.endswith('.jpg'))
    assert larger['annotations/val.json'] == smaller['annotations/val.json']


def test_second_run_does_nothing(drawn):
    before = {path: path.stat().st_mtime_ns for path in drawn.rglob('*')}
    assert generate(drawn, REQUEST, workers=1) is False
    assert before == {path: path.stat().st_mtime_ns for path in drawn.rglob('*')}


def test_other_arguments_are_refused_and_named(drawn):
    with pytest.raises(DataError, match=r'seed is 1, asked for 2; level is normal, asked for hard\. Pass --overwrite'):
        generate(drawn, Request(5, 3, 2, 'hard', (160, 120)), workers=1)


def test_a_set_of_another_style_is_refused_and_the_style_is_stored(drawn, tmp_path):
    crowd = Request(5, 3, 1, 'normal', (160, 120), 'crowdpose')
    with pytest.raises(DataError, match='another synthetic set: style is coco, asked for crowdpose. Pass --overwrite'):
        generate(drawn, crowd, workers=1)
    assert generate(tmp_path / 'set', crowd, workers=1) and not generate(tmp_path / 'set', crowd, workers=1)
    with pytest.raises(DataError, match='another synthetic set: style is crowdpose, asked for coco'):
        generate(tmp_path / 'set', REQUEST, workers=1)
    # The pictures are those of every style; only the annotations differ.
    names = [name for name in contents(drawn) if name.endswith('.jpg')]
    assert len(names) == 8
    assert all(
        (drawn / name).read_bytes() == (tmp_path / 'set/images' / name.split('/')[1]).read_bytes() for name in names
    )
    next((tmp_path / 'set/annotations').glob('det*.json')).unlink()
    with pytest.raises(DataError, match='files are missing'):
        generate(tmp_path / 'set', crowd, workers=1)


def test_overwrite_replaces_a_set(tmp_path):
    out, other = tmp_path / 'set', Request(1, 0, 2, 'starter', (64, 48))
    generate(out, Request(2, 0, 1, 'starter', (64, 48)), workers=1)
    assert generate(out, other, workers=1, overwrite=True)
    assert len(list((out / 'train').iterdir())) == 1 and list(tmp_path.iterdir()) == [out]


def test_a_set_that_lost_files_is_not_taken_for_complete(tmp_path):
    out, request = tmp_path / 'set', Request(2, 0, 1, 'starter', (64, 48))
    generate(out, request, workers=1)
    next((out / 'train').iterdir()).unlink()
    with pytest.raises(DataError, match='files are missing'):
        generate(out, request, workers=1)


@pytest.mark.parametrize('overwrite', [False, True])
def test_other_peoples_folders_are_never_touched(tmp_path, overwrite):
    (tmp_path / 'notes.txt').write_text('mine')
    with pytest.raises(DataError, match='is no synthetic set'):
        generate(tmp_path, REQUEST, workers=1, overwrite=overwrite)
    assert (tmp_path / 'notes.txt').read_text() == 'mine'


@pytest.mark.parametrize('sign', [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize('workers', [1, 2])
def test_an_interruption_leaves_nothing(tmp_path, workers, sign):
    def stop(done, total):
        if done == 3:
            os.kill(os.getpid(), sign)

    with pytest.raises(KeyboardInterrupt if sign == signal.SIGINT else Stopped):
        generate(tmp_path / 'set', REQUEST, workers, progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_leftovers_of_a_killed_run_are_removed(tmp_path):
    (tmp_path / '.set~99999999.partial').mkdir()
    generate(tmp_path / 'set', Request(1, 0, 1, 'starter', (64, 48)), workers=1)
    assert list(tmp_path.iterdir()) == [tmp_path / 'set']


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(DataError, match='file/set cannot be written'):
        generate(tmp_path / 'file' / 'set', REQUEST, workers=1)


@pytest.mark.parametrize(
    'change, message',
    [
        (dict(num_train=-1), '--num-train -1'),
        (dict(num_train=0, num_val=0), 'nothing to draw'),
        (dict(level='easy'), '--level easy: choose one of starter, normal, hard'),
        (dict(seed=-3), '--seed -3'),
        (dict(style='h36m'), '--style h36m: choose one of coco, crowdpose, mpii'),
        (dict(size=(10, 480)), '--size 10x480'),
        (dict(num_val=10**9), '--num-val 1000000000'),
    ],
)
def test_bad_arguments(change, message):
    arguments = dict(num_train=1, num_val=1, seed=0, level='normal', size=(64, 48))
    with pytest.raises(UserError, match=message):
        Request(**{**arguments, **change})


def test_sizes_are_read_and_checked():
    assert parse_size('640x480') == (640, 480)
    for text in ('640', '640x', 'x480', '6.4x3', '-64x48'):
        with pytest.raises(UserError, match='WIDTHxHEIGHT'):
            parse_size(text)
