"""The look at a data set before a run starts."""

import json
from pathlib import Path

import pytest

from sdpose.datasets.checks import check_detections, check_people
from sdpose.errors import DataError


def _person(number: int, **changes) -> dict:
    return dict(dict(id=number, image_id=1, category_id=1, iscrowd=0, num_keypoints=2, bbox=[0, 0, 5, 5], area=9,
                     keypoints=[1, 1, 2] * 2), **changes)


def _box(**changes) -> dict:
    return dict(dict(image_id=1, category_id=1, bbox=[0, 0, 5, 5], score=0.5), **changes)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / 'img/sub').mkdir(parents=True)
    (tmp_path / 'img/sub/1.jpg').touch()
    return tmp_path


def _write(folder: Path, annotations: list, **changes) -> Path:
    content = dict(dict(images=[dict(id=1, file_name='sub/1.jpg'), dict(id=2, file_name='2.jpg')],
                        annotations=annotations), **changes)
    (folder / 'a.json').write_text(json.dumps(content))
    return folder / 'a.json'


def test_a_sound_data_set_passes_and_unused_images_may_be_absent(folder: Path) -> None:
    unused = _person(2, image_id=2, num_keypoints=0)
    assert check_people(_write(folder, [_person(1), unused]), folder / 'img', 2) == []


@pytest.mark.parametrize('annotations, message', [
    ([_person(1), _person(5, keypoints=[1, 1, 2])], 'annotation id 5 has 3 key point numbers, expected 6'),
    ([_person(1), _person(1)], 'annotation id 1 is used more than once'),
    ([_person(1, image_id=9)], 'annotation id 1 refers to image id 9'),
    ([_person(1, image_id=2)], '1 images of .* are missing: .*2.jpg'),
    ([dict(id=1, image_id=1, bbox=[0, 0, 1, 1])], 'annotates no key points'),
])
def test_bad_annotations(folder: Path, annotations: list, message: str) -> None:
    with pytest.raises(DataError, match=message):
        check_people(_write(folder, annotations), folder / 'img', 2)


def test_bad_files(folder: Path) -> None:
    with pytest.raises(DataError, match='the annotation file .*gone.json is missing'):
        check_people(folder / 'gone.json', folder / 'img', 2)
    (folder / 'torn.json').write_text('{"images": [')
    with pytest.raises(DataError, match='torn.json is not a COCO annotation file: it is not valid JSON'):
        check_people(folder / 'torn.json', folder / 'img', 2)
    (folder / 'list.json').write_text('[]')
    with pytest.raises(DataError, match='has no images and no annotations'):
        check_people(folder / 'list.json', folder / 'img', 2)
    with pytest.raises(DataError, match='the image folder .*nowhere is missing'):
        check_people(_write(folder, [_person(1)]), folder / 'nowhere', 2)


def test_empty_boxes_are_remarked_on(folder: Path) -> None:
    remarks = check_people(_write(folder, [_person(1), _person(7, bbox=[1, 1, 0, 4])]), folder / 'img', 2)
    assert len(remarks) == 1
    assert '1 annotation(s) have a box of zero area (first: id 7); they are left out of training' in remarks[0]


@pytest.mark.parametrize('boxes, message', [
    ([_box(image_id=3), _box()], 'belongs to other images than .*: image id 3 and 0 more'),
    ([_box(category_id=2)], r'holds no person \(category_id 1\) among 1 detections'),
    ([_box(), dict(image_id=1, category_id=1)], 'detection 1 has no bbox, score'),
    (dict(boxes=[]), 'must be a JSON list of detections'),
])
def test_bad_detections(folder: Path, boxes: object, message: str) -> None:
    annotations = _write(folder, [_person(1)])
    (folder / 'b.json').write_text(json.dumps(boxes))
    with pytest.raises(DataError, match=message):
        check_detections(folder / 'b.json', annotations, folder / 'img')


def test_missing_detections_say_where_and_how_to_do_without(folder: Path) -> None:
    annotations = _write(folder, [_person(1)])
    with pytest.raises(DataError, match=r'b.json are missing: put .* there, or .*\(--gt-bbox\)'):
        check_detections(folder / 'b.json', annotations, folder / 'img')


def test_empty_detections_are_remarked_on(folder: Path) -> None:
    annotations = _write(folder, [_person(1)])
    (folder / 'b.json').write_text(json.dumps([_box(), _box(bbox=[1, 1, 0, 0])]))
    remarks = check_detections(folder / 'b.json', annotations, folder / 'img')
    assert '1 detection(s) have a box of zero area (first: on image id 1); they are predicted' in remarks[0]
