"""The look at a data set before a run starts."""

import json
import os
import re
from pathlib import Path

import pytest
from mmpose.datasets import CocoDataset

from sdpose.errors import DataError
from sdpose.preflight.coco import check_detections, check_people


def _person(number: int, **changes) -> dict:
    return dict(
        dict(
            id=number,
            image_id=1,
            category_id=1,
            iscrowd=0,
            num_keypoints=2,
            bbox=[0, 0, 5, 5],
            area=9,
            keypoints=[1, 1, 2] * 2,
        ),
        **changes,
    )


def _image(number: int, **changes) -> dict:
    return dict(dict(id=number, file_name=f'{number}.jpg', width=40, height=30), **changes)


def _without(entry: dict, *keys: str) -> dict:
    return {key: value for key, value in entry.items() if key not in keys}


def _box(**changes) -> dict:
    return dict(dict(image_id=1, category_id=1, bbox=[0, 0, 5, 5], score=0.5), **changes)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / 'img/sub').mkdir(parents=True)
    (tmp_path / 'img/sub/1.jpg').touch()
    return tmp_path


def _write(folder: Path, annotations: object, **changes) -> Path:
    content = dict(
        images=[_image(1, file_name='sub/1.jpg'), _image(2)],
        annotations=annotations,
        categories=[dict(id=1, name='person')],
    )
    content.update(changes)
    (folder / 'a.json').write_text(json.dumps(content))
    return folder / 'a.json'


def test_a_sound_data_set_passes_and_unused_images_may_be_absent(folder: Path) -> None:
    unused = _person(2, image_id=2, num_keypoints=0, keypoints=[0] * 6)
    assert check_people(_write(folder, [_person(1), unused]), folder / 'img', 2) == []


def test_joints_in_another_order_are_refused(folder: Path) -> None:
    def check(*names: str) -> list[str]:
        file = _write(folder, [_person(1)], categories=[dict(id=1, name='person', keypoints=names)])
        return check_people(file, folder / 'img', 2, joints=['left_hand', 'right_hand'])

    assert check('left_hand', 'right_hand') == check('hand', 'right_hand') == check() == []
    with pytest.raises(
        DataError,
        match=r"categories name 'right_hand' as joint 0 \(counted from 0\), the metainfo of "
        'the data set as joint 1: give both one order',
    ):
        check('right_hand', 'left_hand')


@pytest.mark.parametrize(
    'annotations, message',
    [
        ([_person(1), _person(5, keypoints=[1, 1, 2])], 'annotation id 5 has 3 key point numbers, expected 6'),
        ([_person(1), _person(1)], 'annotation id 1 is used more than once'),
        ([_person(1, image_id=9)], 'annotation id 1 refers to image id 9'),
        ([_person(1, image_id=2)], '1 images of .* are missing: .*2.jpg'),
        ([dict(id=1, image_id=1, bbox=[0, 0, 1, 1])], 'annotates no key points'),
    ],
)
def test_bad_annotations(folder: Path, annotations: list, message: str) -> None:
    with pytest.raises(DataError, match=message):
        check_people(_write(folder, annotations), folder / 'img', 2)


def test_an_image_may_be_a_link_and_nothing_else_than_a_file(folder: Path) -> None:
    file, image = _write(folder, [_person(1)]), folder / 'img/sub/1.jpg'
    image.rename(folder / 'elsewhere.jpg')
    image.symlink_to(folder / 'elsewhere.jpg')
    assert check_people(file, folder / 'img', 2) == []
    (folder / 'elsewhere.jpg').unlink()  # a link to nothing
    for special in (lambda: None, image.mkdir, lambda: os.mkfifo(image)):
        special()
        with pytest.raises(DataError, match=f'^1 images of {file} are no files, but folders, pipes, .*: {image}$'):
            check_people(file, folder / 'img', 2)
        (image.rmdir if image.is_dir() else image.unlink)()


@pytest.mark.parametrize(
    'key, cure',
    [('image_id', 'complete it, or remove it'), ('category_id', 'complete'), ('bbox', 'add x, y, width, height')],
)
def test_an_annotation_lacks_a_field(folder: Path, key: str, cure: str) -> None:
    file = _write(folder, [_person(1), _without(_person(5), key)])
    with pytest.raises(DataError, match=f'a.json: annotation id 5.* has no {key}: {cure}'):
        check_people(file, folder / 'img', 2)


def test_annotations_without_joints_are_passed_over_as_mmpose_does(folder: Path) -> None:
    ball = _without(_person(4, category_id=7), 'keypoints')
    people = [_person(1), ball, _without(ball, 'bbox', 'num_keypoints'), _person(6, keypoints=[], num_keypoints=0)]
    people[2]['id'] = 5
    assert check_people(_write(folder, people), folder / 'img', 2) == []
    file = _write(folder, [*people, _without(_person(7), 'keypoints')])  # of the category that has joints
    assert check_people(file, folder / 'img', 2) == [
        f'{file}: 1 of 5 annotations have no keypoints (first: id 7); they are left out'
    ]


def test_an_annotation_without_id_is_counted(folder: Path) -> None:
    file = _write(folder, [_person(1), _without(_person(5), 'id')])
    with pytest.raises(DataError, match=r'annotation 1 \(counted from 0\) on image id 1 has no id: complete it'):
        check_people(file, folder / 'img', 2)


@pytest.mark.parametrize(
    'changes, message',
    [
        (
            dict(bbox=[0, 0, 5]),
            r'bbox must be 4 finite numbers \(x, y, width, height\), is \[0, 0, 5\]: correct it, or',
        ),
        (dict(bbox=None), 'bbox must be 4 finite numbers .* is None'),
        (dict(bbox=[0, 0, float('nan'), 5]), r'bbox .* is \[0, 0, nan, 5\]'),
        (dict(bbox=[0, None, 5, 5]), r'bbox .* is \[0, None, 5, 5\]'),
        (dict(bbox=[0, float('-inf'), 5, 5]), r'bbox .* is \[0, -inf, 5, 5\]'),
        (dict(bbox=[0, 0, 5, 1e39]), r'bbox .* is \[0, 0, 5, 1e\+39\]'),  # infinite in single precision
        (dict(bbox=[0.5, 0, 5, 10**400]), r'bbox must be 4 finite numbers'),  # beyond any float
        (dict(keypoints=[1, 1, 2, 1, 'x', 2]), "key point number 4 .* is 'x', not a finite number: correct it, or"),
        (dict(keypoints=[float('nan'), 1, 2, 1, 1, 2]), 'key point number 0 .* is nan'),
        (dict(keypoints=[1, 1, None, 1, 1, 2]), 'key point number 2 .* is None'),
        (dict(keypoints=[1, float('inf'), 2, 1, 1, 2]), 'key point number 1 .* is inf'),
        (dict(keypoints=[float('inf'), 1, 2, float('-inf'), 1, 2]), 'key point number 0 .* is inf'),
        (dict(keypoints=None), 'keypoints must be a list of numbers, is None'),
        (dict(image_id=None), 'image_id must be an integer, is None'),
        (dict(image_id=[1]), r'image_id must be an integer, is \[1\]'),
        (dict(category_id='person'), "category_id must be an integer, is 'person'"),
        (dict(id=[5]), r'id must be an integer, is \[5\]'),
    ],
)
def test_a_damaged_value_of_an_annotation(folder: Path, changes: dict, message: str) -> None:
    file = _write(folder, [_person(1), _person(5, **changes)])
    with pytest.raises(DataError, match=f'a.json: annotation id .*5.*{message}'):
        check_people(file, folder / 'img', 2)


@pytest.mark.parametrize('key', ['file_name', 'width', 'height'])
def test_an_image_lacks_a_field(folder: Path, key: str) -> None:
    file = _write(folder, [_person(1)], images=[_image(1), _without(_image(2), key)])
    with pytest.raises(DataError, match=f'a.json: image id 2 has no {key}: complete it, or remove it'):
        check_people(file, folder / 'img', 2)


@pytest.mark.parametrize(
    'image, message',
    [
        (_without(_image(2), 'id'), r'image 1 \(counted from 0\) has no id'),
        (_image(2, width=None), 'image id 2: width must be a positive number, is None: correct it, or remove it'),
        (_image(2, height=float('nan')), 'image id 2: height must be a positive number, is nan'),
        (_image(2, height=0), 'image id 2: height must be a positive number, is 0'),
        (_image(2, file_name=3), 'image id 2: file_name must be a text, is 3'),
        (_image(None), r'image id None: id must be an integer, is None'),
        ('2.jpg', r'image 1 \(counted from 0\) is no JSON object'),
    ],
)
def test_a_damaged_image(folder: Path, image: object, message: str) -> None:
    with pytest.raises(DataError, match=f'a.json: {message}'):
        check_people(_write(folder, [_person(1)], images=[_image(1), image]), folder / 'img', 2)


@pytest.mark.parametrize(
    'annotations, images, message',
    [
        (None, [], 'a.json is not a COCO annotation file: annotations must be a list'),
        ([], {}, 'a.json is not a COCO annotation file: images must be a list'),
        ([3], [], r'a.json: annotation 0 \(counted from 0\) is no JSON object'),
    ],
)
def test_a_damaged_structure(folder: Path, annotations: object, images: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        check_people(_write(folder, annotations, images=images), folder / 'img', 2)


def test_area_is_needed_where_the_metric_reads_it(folder: Path) -> None:
    lacking = _write(folder, [_person(1), _without(_person(5), 'area')])
    (folder / 'b.json').write_text(json.dumps([_box()]))
    assert check_people(lacking, folder / 'img', 2) == []
    assert check_people(lacking, folder / 'img', 2, evaluated=True, use_area=False) == []
    assert check_detections(folder / 'b.json', lacking, folder / 'img', use_area=False) == []
    message = 'a.json: annotation id 5 on image id 1 has no area: .*use_area=False'
    with pytest.raises(DataError, match=message):
        check_people(lacking, folder / 'img', 2, evaluated=True)
    with pytest.raises(DataError, match=message):
        check_detections(folder / 'b.json', lacking, folder / 'img')
    broken = _write(folder, [_person(5, area=float('nan'))])
    with pytest.raises(DataError, match='annotation id 5 on image id 1: area must be a finite number, is nan'):
        check_people(broken, folder / 'img', 2, evaluated=True)


def test_categories_are_needed_where_the_metric_reads_them(folder: Path) -> None:
    content = json.loads(_write(folder, [_person(1)]).read_text())
    (folder / 'a.json').write_text(json.dumps(_without(content, 'categories')))
    (folder / 'b.json').write_text(json.dumps([_box()]))
    assert check_people(folder / 'a.json', folder / 'img', 2) == []
    with pytest.raises(DataError, match='a.json has no categories, which the evaluation reads: add'):
        check_people(folder / 'a.json', folder / 'img', 2, evaluated=True)
    with pytest.raises(DataError, match='a.json has no categories'):
        check_detections(folder / 'b.json', folder / 'a.json', folder / 'img')


@pytest.mark.parametrize(
    'changes',
    [
        dict(iscrowd=1),
        dict(num_keypoints=0),
        dict(bbox=[0, 0, 0, 5]),
        dict(bbox=[100, 0, 5, 5]),
        dict(keypoints=[0] * 6),
    ],
)
def test_nobody_is_usable(folder: Path, changes: dict) -> None:
    with pytest.raises(
        DataError,
        match=r'no usable person in .*a.json: each of its 2 annotations is a crowd, has no '
        'labelled key point, or has a box of zero area or outside its image',
    ):
        check_people(_write(folder, [_person(1, **changes), _person(2, **changes)]), folder / 'img', 2)


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


@pytest.mark.parametrize('box', [[40, 0, 5, 5], [39, 0, 5, 5], [0, 29, 5, 5], [-5, 0, 5, 5], [0, -9, 5, 5]])
def test_boxes_outside_their_image_are_remarked_on(folder: Path, box: list) -> None:
    file = _write(folder, [_person(1), _person(7, bbox=box)])
    (folder / 'b.json').write_text(json.dumps([_box(), _box(bbox=box)]))
    assert check_people(file, folder / 'img', 2) == [
        f'{file}: 1 annotation(s) have a box outside their image (first: id 7); they are left out of training and of '
        'ground-truth boxes'
    ]
    assert check_detections(folder / 'b.json', file, folder / 'img') == [
        f'{folder / "b.json"}: 1 detection(s) have a box outside their image (first: on image id 1); they are '
        'predicted all the same, from a box without content'
    ]


def test_boxes_at_the_border_pass(folder: Path) -> None:
    boxes = [[38, 28, 5, 5], [-4, -4, 5, 5], [0, 0, 40, 30]]
    people = [_person(number, bbox=box) for number, box in enumerate(boxes, 1)]
    assert check_people(_write(folder, people), folder / 'img', 2) == []


def test_both_kinds_of_boxes_share_one_remark(folder: Path) -> None:
    outside = [_person(8, bbox=[50, 1, 4, 4]), _person(9, bbox=[50, 1, 4, 4])]
    people = [_person(1), _person(7, bbox=[1, 1, 0, 4]), *outside]
    remarks = check_people(_write(folder, people), folder / 'img', 2)
    assert len(remarks) == 1
    assert (
        '1 annotation(s) have a box of zero area (first: id 7) and 2 have a box outside their image (first: id 8); '
        'they are left out'
    ) in remarks[0]


def test_the_same_boxes_as_mmpose_are_left_out(folder: Path) -> None:
    boxes = [[0, 0, 5, 5], [39, 0, 5, 5], [38.5, 0, 5, 5], [-5, 0, 5, 5], [-5, 0, 5.5, 5], [0, 29, 5, 5], [3, 3, 0, 4]]
    people = [_person(number, bbox=box, keypoints=[1, 1, 2] * 17) for number, box in enumerate(boxes)]
    file = _write(folder, people)
    kept = CocoDataset(ann_file=str(file), data_prefix=dict(img=''), pipeline=[]).load_data_list()
    assert {info['id'] for info in kept} == {0, 2, 4}
    remark = check_people(file, folder / 'img', 17)[0]
    assert '1 annotation(s) have a box of zero area (first: id 6) and 3 have a box outside' in remark


@pytest.mark.parametrize(
    'boxes, message',
    [
        ([_box(image_id=3), _box()], 'belongs to other images than .*: image id 3 and 0 more'),
        ([_box(category_id=2)], r'holds no person \(category_id 1\) among 1 detections'),
        ([_box(), dict(image_id=1, category_id=1)], r'detection 1 \(counted from 0\) on image id 1 has no bbox, score'),
        (dict(boxes=[]), 'must be a JSON list of detections'),
        ([_box(), 3], r'b.json: detection 1 \(counted from 0\) is no JSON object'),
        ([_box(), _box(bbox=[1, 2])], r'detection 1 .* on image id 1: bbox must be 4 finite numbers .* is \[1, 2\]'),
        ([_box(bbox=None)], 'detection 0 .* on image id 1: bbox must be 4 finite numbers .* is None'),
        ([_box(bbox=[0, 0, float('nan'), 5])], r'detection 0 .*: bbox must be 4 finite .* is \[0, 0, nan, 5\]'),
        ([_box(score=float('nan'))], 'detection 0 .*: score must be a finite number, is nan: correct it, or remove it'),
        ([_box(score=None)], 'detection 0 .*: score must be a finite number, is None'),
        ([_box(score='0.9')], "detection 0 .*: score must be a finite number, is '0.9'"),
        ([_box(image_id=[1])], 'detection 0 .*: image_id must be an integer'),
    ],
)
def test_bad_detections(folder: Path, boxes: object, message: str) -> None:
    annotations = _write(folder, [_person(1)])
    (folder / 'b.json').write_text(json.dumps(boxes))
    with pytest.raises(DataError, match=message):
        check_detections(folder / 'b.json', annotations, folder / 'img')


@pytest.mark.parametrize(
    'person, message',
    [
        (_person(5, keypoints=[1, float('nan'), 2] * 2), 'annotation id 5 on image id 1: key point number 1 .* is nan'),
        (_person(5, keypoints=[1, 1, 2]), 'annotation id 5 has 3 key point numbers, expected 6'),
        (_without(_person(5), 'keypoints'), 'a.json annotates no key points'),
    ],
)
def test_annotations_behind_detections_are_checked_too(folder: Path, person: dict, message: str) -> None:
    (folder / 'b.json').write_text(json.dumps([_box()]))
    with pytest.raises(DataError, match=message):
        check_detections(folder / 'b.json', _write(folder, [person]), folder / 'img', num_keypoints=2)


def test_damage_in_a_detection_of_another_category_does_not_matter(folder: Path) -> None:
    (folder / 'b.json').write_text(json.dumps([_box(), _box(category_id=2, bbox=[1, 2])]))
    assert check_detections(folder / 'b.json', _write(folder, [_person(1)]), folder / 'img') == []


def test_missing_detections_say_where_and_how_to_do_without(folder: Path) -> None:
    annotations = _write(folder, [_person(1)])
    with pytest.raises(DataError, match=r'b.json are missing: put .* there, or .*\(--gt-bbox\)'):
        check_detections(folder / 'b.json', annotations, folder / 'img')


def test_empty_detections_are_remarked_on(folder: Path) -> None:
    annotations = _write(folder, [_person(1)])
    (folder / 'b.json').write_text(json.dumps([_box(), _box(bbox=[1, 1, 0, 0])]))
    remarks = check_detections(folder / 'b.json', annotations, folder / 'img')
    assert '1 detection(s) have a box of zero area (first: on image id 1); they are predicted' in remarks[0]


@pytest.mark.parametrize(
    'image, person, message',
    [
        (dict(), dict(), r'image id 1 has no crowdIndex: take CrowdPose.s own file, or evaluate with iou_type'),
        (dict(crowdIndex='x'), dict(), "image id 1: crowdIndex must be a number from 0, is 'x'"),
        (dict(crowdIndex=float('nan')), dict(), 'crowdIndex must be a number from 0, is nan'),
        (dict(crowdIndex=0.5), dict(num_keypoints=None), 'id 1.*: num_keypoints must be a number from 0, is None'),
    ],
)
def test_what_crowdposes_evaluation_reads(folder: Path, image: dict, person: dict, message: str) -> None:
    file = _write(folder, [_person(1, **person)], images=[_image(1, file_name='sub/1.jpg', **image)])
    (folder / 'boxes.json').write_text(json.dumps([_box()]))
    with pytest.raises(DataError, match=message):
        check_people(file, folder / 'img', 2, evaluated=True, crowd=True)
    with pytest.raises(DataError, match=message):
        check_detections(folder / 'boxes.json', file, folder / 'img', 2, crowd=True)
    assert check_people(file, folder / 'img', 2, crowd=True) == []  # training reads none of it


@pytest.mark.parametrize('mark, evaluated', [('0', False), ('1', True), (None, True), ([0], False)])
def test_a_mark_of_a_crowd_is_a_number(folder: Path, mark: object, evaluated: bool) -> None:
    with pytest.raises(DataError, match='annotation id 1 has iscrowd .*: it must be 0 or 1'):
        check_people(_write(folder, [_person(1, iscrowd=mark)]), folder / 'img', 2, evaluated=evaluated)


@pytest.mark.parametrize('changes', [dict(iscrowd=False), dict(iscrowd=None), dict(area=25)])
def test_what_is_not_odd(folder: Path, changes: dict) -> None:
    assert check_people(_write(folder, [_person(1, **changes)]), folder / 'img', 2) == []


@pytest.mark.parametrize(
    'annotations, changes, remark',
    [
        (
            [_person(1)],
            dict(images=[_image(1, file_name='sub/1.jpg'), _image(2, file_name='sub/1.jpg')]),
            'ids 1 and 2',
        ),
        ([_person(1, keypoints=[1, 1, 3, 1, 1, 2])], {}, 'visibility is above 2 .first: id 1'),
        ([_person(1, area=900)], {}, 'an area of more than 4 times their box .first: id 1'),
    ],
)
def test_entries_that_are_odd(folder: Path, annotations: list, changes: dict, remark: str) -> None:
    remarks = check_people(_write(folder, annotations, **changes), folder / 'img', 2, evaluated=True)
    assert len(remarks) == 1 and re.search(remark, remarks[0])
