"""A result file is told fit or unfit, with each kind of fault and where it is; the archive for COCO's server."""

import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from pycocotools.coco import COCO
from xtcocotools.coco import COCO as XtCOCO

from sdpose.errors import DataError, UserError
from sdpose.evaluation.submission import read_results, write_submission
from sdpose.preflight.results import check_results

_STEM = 'person_keypoints_test-dev2017_Mine_results'


def _person(image: int, **changes: object) -> dict:
    return dict(
        dict(image_id=image, category_id=1, keypoints=[10.25, 20.5, 0.5] * 17, score=0.25, bbox=[1.0, 2.0, 30.0, 40.0]),
        **changes,
    )


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """The image_info file of four images of a test split, without annotations."""
    path = tmp_path / 'image_info_test-dev2017.json'
    path.write_text(
        json.dumps(
            dict(
                images=[dict(id=number, file_name=f'{number}.jpg', width=64, height=48) for number in (1, 2, 3, 4)],
                categories=[dict(id=1, name='person')],
            )
        )
    )
    return path


@pytest.fixture
def sound() -> list[dict]:
    """Three results on two of the four images."""
    return [_person(1), _person(1, score=0.5), _person(3)]


def _write(folder: Path, results: object, name: str = 'results.json') -> Path:
    (folder / name).write_text(json.dumps(results))
    return folder / name


def test_a_sound_file_passes_and_both_coco_libraries_read_it(tmp_path: Path, images: Path, sound: list) -> None:
    path = _write(tmp_path, sound)
    check = check_results(path, images)
    assert (check.num_results, check.num_images, check.num_keypoints, check.faults) == (3, 4, 17, [])
    assert check.remarks[1:] == ['2 of 4 images have no result: every person there counts as missed']
    for library in (COCO, XtCOCO):
        assert len(library(str(images)).loadRes(str(path)).anns) == 3


@pytest.mark.parametrize(
    'change, fault',
    [
        (
            dict(image_id=9),
            '1 of 4 results: image_id is none of image_info_test-dev2017.json (first: number 3 from 0: 9)',
        ),
        (dict(image_id='1'), "image_id is none of image_info_test-dev2017.json (first: number 3 from 0: '1')"),
        (dict(category_id=2), 'category_id is not 1, person (first: number 3 from 0: 2)'),
        (dict(category_id=True), 'category_id is not 1, person (first: number 3 from 0: True)'),
        (
            dict(keypoints=[1.0] * 42),
            'keypoints are not 51 numbers (17 times x, y, score) (first: number 3 from 0: 42 num',
        ),
        (dict(keypoints='51'), 'keypoints are not 51 numbers'),
        (dict(keypoints=[float('nan')] + [1.0] * 50), 'a key point is no finite number (first: number 3 from 0: nan)'),
        (dict(keypoints=[1.0] * 50 + [None]), 'a key point is no finite number (first: number 3 from 0: None)'),
        (dict(keypoints=[float('inf'), -float('inf')] + [1.0] * 49), 'a key point is no finite number'),
        (dict(score=float('inf')), 'score is no finite number (first: number 3 from 0: inf)'),
        (dict(score=None), 'score is no finite number'),
        (
            dict(image_id=3, bbox=[0.0, 0.0, 1.0, 1.0]),
            'the same person twice on an image, with equal numbers (first: number 3',
        ),
    ],
)
def test_each_kind_of_fault_is_counted_and_shown(
    tmp_path: Path, images: Path, sound: list, change: dict, fault: str
) -> None:
    faults = check_results(_write(tmp_path, [*sound, _person(2, **change)]), images).faults
    assert len(faults) == 1 and fault in faults[0], faults


def test_incomplete_entries_and_several_faults_at_once(tmp_path: Path, images: Path, sound: list) -> None:
    broken = [*sound, dict(image_id=1), 5, _person(7), _person(8)]
    assert check_results(_write(tmp_path, broken), images).faults == [
        '2 of 7 results: no image_id, category_id, keypoints or score (first: number 3 from 0: lacks category_id, '
        'keypoints, score)',
        '2 of 7 results: image_id is none of image_info_test-dev2017.json (first: number 5 from 0: 7)',
    ]
    assert check_results(_write(tmp_path, []), images).faults == ['it holds no result']
    crowded = [_person(1, score=number / 100) for number in range(21)]
    assert check_results(_write(tmp_path, crowded), images).remarks[-1] == (
        '1 images have more than 20 results, of which COCO reads the best 20'
    )


def test_files_that_are_no_results(tmp_path: Path, images: Path) -> None:
    for content, message in (({}, 'must be a JSON list of results'), (None, 'must be a JSON list of results')):
        with pytest.raises(DataError, match=message):
            check_results(_write(tmp_path, content), images)
    (tmp_path / 'torn.json').write_text('[{"image_id": 1,')
    (tmp_path / 'torn.zip').write_bytes(b'PK nothing')
    (tmp_path / 'deep.json').write_text('[' * 100_000 + ']' * 100_000)
    with zipfile.ZipFile(tmp_path / 'locked.zip', 'w') as archive:
        archive.writestr('results.json', '[]')
    content = bytearray((tmp_path / 'locked.zip').read_bytes())
    content[6] |= 1  # the flag of encryption, of the file and in the directory
    content[content.index(b'PK\x01\x02') + 8] |= 1
    (tmp_path / 'locked.zip').write_bytes(content)
    for name, message in (
        ('torn.json', 'cannot be read as results'),
        ('torn.zip', 'is no zip archive'),
        ('deep.json', 'cannot be read as results'),
        ('locked.zip', 'cannot be read as results: .* encrypted'),
        ('gone.json', 'does not exist; tools/test.py --format-only writes one'),
    ):
        with pytest.raises(DataError, match=f'{name} {message}'):
            check_results(tmp_path / name, images)


def test_the_joint_count_is_that_of_the_annotations(tmp_path: Path, images: Path) -> None:
    content = json.loads(images.read_text())
    annotated = dict(content, annotations=[dict(id=1, keypoints=[0] * 27)])
    named = dict(content, annotations=[], categories=[dict(id=1, name='person', keypoints=['nose', 'hip'])])
    for truth, joints in ((annotated, 9), (named, 2)):
        results = _write(tmp_path, [_person(1, keypoints=[1.0] * 3 * joints)])
        check = check_results(results, _write(tmp_path, truth, 'truth.json'))
        assert (check.num_keypoints, check.faults) == (joints, [])
    assert 'are not 15 numbers' in check_results(results, images, num_keypoints=5).faults[0]


def test_the_archive_has_the_names_of_the_server_and_only_its_fields(tmp_path: Path, images: Path, sound: list) -> None:
    path = write_submission(sound, images, 'Mine', tmp_path)
    assert path == tmp_path / f'{_STEM}.zip'
    assert zipfile.ZipFile(path).namelist() == [f'{_STEM}.json']
    assert read_results(path) == [{key: value for key, value in result.items() if key != 'bbox'} for result in sound]
    assert check_results(path, images).faults == []
    with pytest.raises(UserError, match="the name 'My results' becomes part of a file name"):
        write_submission(sound, images, 'My results', tmp_path)


@pytest.mark.parametrize(
    'name, inside, fault',
    [
        ('mine.zip', f'{_STEM}.json', 'mine.zip must be called person_keypoints_test-dev2017_NAME_results.zip'),
        (f'{_STEM}.zip', 'results.json', 'results.json must be called person_keypoints_test-dev2017_NAME_results.json'),
        (f'{_STEM}.zip', f'folder/{_STEM}.json', 'must be called'),
        (f'{_STEM}.zip', _STEM.replace('Mine', 'Other') + '.json', f'in it must be called {_STEM}.json'),
        (
            _STEM.replace('test-dev', 'val') + '.zip',
            f'{_STEM}.json',
            'must be called person_keypoints_test-dev2017_NAME',
        ),
    ],
)
def test_wrong_names_of_an_archive(
    tmp_path: Path, images: Path, sound: list, name: str, inside: str, fault: str
) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, 'w') as archive:
        archive.writestr(inside, json.dumps(sound))
    (tmp_path / name).write_bytes(buffer.getvalue())
    faults = check_results(tmp_path / name, images).faults
    assert len(faults) == 1 and fault in faults[0], faults


def test_an_archive_of_several_files(tmp_path: Path, images: Path) -> None:
    with zipfile.ZipFile(tmp_path / f'{_STEM}.zip', 'w') as archive:
        archive.writestr('a.json', '[]')
        archive.writestr('b.json', '[]')
    with pytest.raises(DataError, match='must hold exactly one file, the results; it holds a.json, b.json'):
        check_results(tmp_path / f'{_STEM}.zip', images)


def test_an_archive_that_unpacks_to_far_more_than_results_do(tmp_path: Path) -> None:
    path = tmp_path / f'{_STEM}.zip'
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f'{_STEM}.json', b'[' + b' ' * 3 * 10**7 + b']')
    assert path.stat().st_size < 10**5
    with pytest.raises(DataError, match=r'results.zip has 0.0\d+ MB and unpacks to 30 MB: .* nothing was unpacked'):
        read_results(path)


def test_honest_archives_are_no_bombs(tmp_path: Path, sound: list) -> None:
    """Results of a model that predicts one thing, or of few people, pack best."""
    path = tmp_path / f'{_STEM}.zip'
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f'{_STEM}.json', json.dumps([_person(1, keypoints=[0.0] * 51)] * 20_000))
    assert len(read_results(path)) == 20_000


@pytest.mark.parametrize('make', [os.mkfifo, os.mkdir], ids=['pipe', 'folder'])
@pytest.mark.parametrize('name', ['results.json', f'{_STEM}.zip', 'image_info_test-dev2017.json'])
def test_what_is_no_file_does_not_hang(tmp_path: Path, images: Path, sound: list, name: str, make: Callable) -> None:
    """Results, packed results, annotations."""
    (tmp_path / name).unlink(missing_ok=True)
    make(tmp_path / name)
    results = tmp_path / name if 'results' in name else _write(tmp_path, sound, 'sound.json')
    with pytest.raises(DataError, match=rf'{name} (is no regular file|is missing)'):
        check_results(results, images)


def test_json_nested_beyond_the_parser(tmp_path: Path, images: Path, sound: list) -> None:
    (tmp_path / 'deep.json').write_text('[' * 200_000)
    with pytest.raises(DataError, match='deep.json cannot be read as results'):
        read_results(tmp_path / 'deep.json')
    with pytest.raises(DataError, match='deep.json is not a COCO annotation file: it is not valid JSON'):
        check_results(_write(tmp_path, sound), tmp_path / 'deep.json')


@pytest.mark.parametrize('number', [0, -1, -17])
def test_a_number_of_joints_is_positive(tmp_path: Path, images: Path, number: int) -> None:
    with pytest.raises(UserError, match=rf'^{number} key points per person \(--num-keypoints\): give at least 1'):
        check_results(_write(tmp_path, [_person(1)]), images, num_keypoints=number)
