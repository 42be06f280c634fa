"""Annotations that contradict themselves, their pictures, or the evaluation."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from data_set_forms import coco, mpii
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.datasets import CocoDataset

from sdpose.errors import DataError
from sdpose.preflight import datasets
from sdpose.preflight.datasets import check_datasets

JOINTS = 17


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the checks warn of."""
    init_default_scope('mmpose')
    lines: list[str] = []
    monkeypatch.setattr(datasets, 'print_log', lambda line, _, level=20: lines.append(line) if level > 20 else None)
    return lines


@pytest.fixture
def form(tmp_path: Path) -> dict[str, Any]:
    return dict(type='CocoDataset', data_root=str(tmp_path), **coco(tmp_path, JOINTS))


Change = Callable[[dict[str, Any]], Any]


def edit(tmp_path: Path, change: Change, name: str = 'ann.json') -> Path:
    content = json.loads((tmp_path / 'ann.json').read_text())
    change(content)
    (tmp_path / name).write_text(json.dumps(content))
    return tmp_path / name


def people(change: Callable[[dict[str, Any]], Any]) -> Change:
    """A change of every person."""
    return lambda content: [change(ann) for ann in content['annotations']]


def first(change: Callable[[dict[str, Any]], Any]) -> Change:
    """A change of the first person alone."""
    return lambda content: change(content['annotations'][0])


def check(dataset: dict[str, Any], split: str = 'train', **evaluator: Any) -> None:
    cfg = {f'{split}_dataloader': dict(dataset=dataset)}
    if split != 'train':
        cfg[f'{split}_evaluator'] = dict(type='CocoMetric', **evaluator)
    check_datasets(Config(cfg), (split,))


def moved(keypoints: list[float], scale: float, by: float = 0) -> list[float]:
    values = np.reshape(np.array(keypoints, float), (-1, 3))
    values[:, :2] = values[:, :2] * scale + by
    return values.ravel().tolist()


def set_flags(ann: dict[str, Any], flag: float) -> None:
    ann['keypoints'][2::3] = [flag] * JOINTS


def shift_to_centre(ann: dict[str, Any]) -> None:
    x, y, width, height = ann['bbox']
    ann['bbox'] = [x + width / 2, y + height / 2, width, height]


def swap(ann: dict[str, Any]) -> None:
    values = np.reshape(ann['keypoints'], (-1, 3))[:, [1, 0, 2]]
    ann['keypoints'] = values.ravel().tolist()
    ann['bbox'] = [90, 10, 60, 40]
    ann['keypoints'] = [v for x, y, f in values for v in (20 + x / 4, 95 + y / 4, f)]


def test_a_sound_set_is_quiet_in_every_split(form: dict, said: list[str]) -> None:
    for split in ('train', 'val', 'test'):
        check(form, split)
    assert said == []


@pytest.mark.parametrize(
    'change, message',
    [
        (people(lambda ann: set_flags(ann, -1)), r'3 of 3 annotations have a joint with visibility -1 \(first: id 1\)'),
        (first(lambda ann: ann['keypoints'].__setitem__(5, -2)), r'1 of 3 .* visibility -2 \(first: id 1\)'),
        (first(lambda ann: ann['keypoints'].__setitem__(5, -0.5)), r'1 of 3 .* visibility -0.5 \(first: id 1\)'),
        (people(lambda ann: set_flags(ann, 0)), 'no joint of its 3 people is labelled, since each has visibility 0'),
        (
            people(lambda ann: ann.update(bbox=[0.2, 0.1, 0.3, 0.6])),
            r'each of its 3 boxes is smaller than a pixel \(first: id 1, 0.2, 0.1, 0.3, 0.6\), as fractions',
        ),
        (
            lambda content: content['images'][1].update(id=1),
            "ann.json: image id 1 is used more than once, by '000001.jpg' and '000002.jpg': give each image its own",
        ),
        (
            people(lambda ann: ann.update(num_keypoints=0)),
            r'no usable person .*3 of 3 annotations have num_keypoints 0',
        ),
    ],
)
@pytest.mark.parametrize('split', ['train', 'test'])
def test_what_is_wrong_under_every_reading_is_refused(
    form: dict, tmp_path: Path, said: list[str], change: Change, message: str, split: str
) -> None:
    edit(tmp_path, change)
    with pytest.raises(DataError, match=message):
        check(form, split)


@pytest.mark.parametrize(
    'change, message',
    [
        (
            people(lambda ann: set_flags(ann, 0.93)),
            '3 of 3 annotations have a joint whose visibility is a fraction (first: id 1): 0.93 is taken as the weight',
        ),
        (people(lambda ann: ann.update(keypoints=moved(ann['keypoints'], 1 / 160))), 'no labelled joint in their box'),
        (
            first(lambda ann: ann.update(keypoints=moved(ann['keypoints'], 1 / 160))),
            '1 of 3 annotations have no labelled',
        ),
        (
            people(lambda ann: ann.update(keypoints=moved(ann['keypoints'], 1 / 160))),
            'they are fractions, as of the picture or of the box',
        ),
        (
            people(lambda ann: ann.update(keypoints=moved(ann['keypoints'], 1, -28), bbox=[90, 20, 50, 80])),
            'joints fit as counted from the corner of their box',
        ),
        (
            people(lambda ann: ann.update(bbox=[ann['bbox'][0], 20, ann['bbox'][0] + 50, 100])),
            '3 of 3 annotations have a box that fits the picture and its joints as two corners',
        ),
        (first(lambda ann: ann.update(num_keypoints=0)), '1 of 3 annotations have num_keypoints 0 although joints are'),
        (
            first(lambda ann: ann.update(bbox=[0.2, 0.1, 0.3, 0.6])),
            '1 of 3 annotations have a box that is smaller than',
        ),
        (
            people(lambda ann: ann.update(bbox=[30, 20, 170, 150])),
            'have a box that ends outside its picture (first: id 1)',
        ),
        (people(lambda ann: ann.update(keypoints=moved(ann['keypoints'], 4))), 'joints outside their picture'),
        (
            first(lambda ann: ann.pop('keypoints')),
            '1 of 3 annotations have no keypoints (first: id 1); they are left out',
        ),
    ],
)
@pytest.mark.parametrize('split', ['train', 'test'])
def test_what_is_odd_is_remarked_on(
    form: dict, tmp_path: Path, said: list[str], change: Change, message: str, split: str
) -> None:
    edit(tmp_path, change)
    check(form, split)
    assert any(message in line and f'{tmp_path}/ann.json: ' in line for line in said), said


def test_corners_inside_the_picture_are_seen_where_there_are_several(tmp_path: Path, said: list[str]) -> None:
    """Nothing ends outside, but all joints of everybody lie between the two corners."""
    form = coco(tmp_path, JOINTS)

    def six_in_corners(content: dict[str, Any]) -> None:
        (person, *_), images = content['annotations'], content['images']
        content['annotations'] = []
        for number in range(6):
            ann = copy.deepcopy(person)
            ann.update(id=number + 1, image_id=images[number % 3]['id'], bbox=[31, 20, 81, 100])
            content['annotations'].append(ann)

    edit(tmp_path, six_in_corners)
    check(dict(type='CocoDataset', data_root=str(tmp_path), **form))
    said = [line for line in said if 'repeat another one' not in line]  # as these do
    assert len(said) == 1
    assert '6 of 6 annotations have a box that fits the picture and its joints as two corners' in said[0]


def test_a_few_odd_people_of_many_are_nothing_to_speak_of(form: dict, tmp_path: Path, said: list[str]) -> None:
    def many(content: dict[str, Any]) -> None:
        person = content['annotations'][0]
        content['annotations'] = [dict(copy.deepcopy(person), id=number) for number in range(1, 201)]
        for ann in content['annotations']:
            ann['bbox'][2] += ann['id'] / 1000  # nobody repeats another one
        content['annotations'][7]['keypoints'] = moved(person['keypoints'], 1, 70)

    edit(tmp_path, many)
    check(form)
    assert said == []


def test_joints_of_mpii_in_fractions(tmp_path: Path, said: list[str]) -> None:
    """Its boxes are made of centre and scale, in a unit of their own; that joints are in pixels can be told."""
    form = mpii(tmp_path, 16)
    dataset = dict(type='MpiiDataset', data_root=str(tmp_path), **form)
    entries = json.loads((tmp_path / 'ann.json').read_text())
    (tmp_path / 'ann.json').write_text(json.dumps([dict(entry, scale=0.05) for entry in entries]))
    check(dataset)
    assert said == []
    for entry in entries:
        entry['joints'] = (np.array(entry['joints']) / 160).tolist()
    (tmp_path / 'ann.json').write_text(json.dumps(entries))
    check(dataset)
    assert len(said) == 1 and '3 of 3 annotations have no labelled joint outside the first pixel of' in said[0]


# What only an evaluation reads ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    'change, message',
    [
        (
            people(lambda ann: ann.update(area=0)),
            r'3 of 3 labelled people have the area 0 \(first: annotation id 1\); OKS',
        ),
        (people(lambda ann: ann.update(area=0)), '0.53 times width times height of the box, which MMPose takes'),
        (first(lambda ann: ann.update(area=-5)), '1 of 3 labelled people have an area below 0'),
        (people(lambda ann: ann.update(area=0.3)), '3 of 3 labelled people have an area below 1 in a larger box'),
        (people(lambda ann: ann.update(id=-ann['id'])), r'3 of 3 annotations have a negative id \(first: -1\)'),
        (
            people(lambda ann: ann.update(category_id=4)),
            r'3 of 3 .* not list \(first: annotation id 1, category_id 4; l',
        ),
        (lambda content: content.update(categories=[]), 'listed: none'),
        (
            people(lambda ann: ann.update(keypoints=np.reshape(ann['keypoints'], (-1, 3)).tolist())),
            '3 of 3 annotations have a list for each joint in keypoints',
        ),
    ],
)
def test_what_cannot_be_matched_is_refused_where_it_is_evaluated(
    form: dict, tmp_path: Path, said: list[str], change: Change, message: str
) -> None:
    sound = tmp_path / 'sound.json'
    sound.write_text((tmp_path / 'ann.json').read_text())
    odd = edit(tmp_path, change)
    check(form, 'train')
    for split in ('val', 'test'):
        with pytest.raises(DataError, match=message):
            check(form, split)
        with pytest.raises(DataError, match=message):
            check(dict(form, ann_file='sound.json'), split, ann_file=str(odd))  # the evaluator's own file
    check(form, 'test', format_only=True, outfile_prefix='x')
    assert said == []


def test_another_metric_asks_for_less(form: dict, tmp_path: Path, said: list[str]) -> None:
    edit(tmp_path, lambda content: (content.pop('categories'), [ann.pop('area') for ann in content['annotations']]))
    cfg = dict(test_dataloader=dict(dataset=form), test_evaluator=dict(type='PCKAccuracy'))
    check_datasets(Config(cfg), ('test',))
    with pytest.raises(DataError, match='has no categories'):
        check(form, 'test')
    edit(tmp_path, lambda content: content.update(categories=[dict(id=1, name='thing')]))
    check(form, 'test', use_area=False)


def test_some_who_cannot_be_matched_are_remarked_on(form: dict, tmp_path: Path, said: list[str]) -> None:
    edit(tmp_path, first(lambda ann: ann.update(area=0)))
    check(form, 'val')
    edit(tmp_path, first(lambda ann: ann.update(area=100, category_id=4)))
    check(form, 'val')
    assert ['1 of 3 labelled people have the area 0' in said[0], '1 of 3 labelled people have a cat' in said[1]] == [
        True
    ] * 2


def test_detections_are_people_of_category_1(form: dict, tmp_path: Path, said: list[str]) -> None:
    edit(tmp_path, people(lambda ann: ann.update(category_id=5)))
    edit(tmp_path, lambda content: content.update(categories=[dict(id=5, name='thing')]))
    check(form, 'test')  # annotated boxes have the category of their person
    boxes = [dict(image_id=1, category_id=1, bbox=[30, 20, 50, 80], score=0.3)]
    (tmp_path / 'boxes.json').write_text(json.dumps(boxes))
    detected = dict(form, bbox_file=str(tmp_path / 'boxes.json'), test_mode=True)
    with pytest.raises(DataError, match='people have category_id 5, and predictions from a detector.s boxes have 1'):
        check(detected, 'test')


@pytest.mark.parametrize('threshold, kept', [(0.5, False), (0.3, True)])
def test_no_detection_reaches_the_threshold(
    form: dict, tmp_path: Path, said: list[str], threshold: float, kept: bool
) -> None:
    boxes = [dict(image_id=number, category_id=1, bbox=[30, 20, 50, 80], score=number / 10) for number in (1, 2, 3)]
    (tmp_path / 'boxes.json').write_text(json.dumps(boxes))
    detected = dict(form, bbox_file=str(tmp_path / 'boxes.json'), test_mode=True)
    detected['filter_cfg'] = dict(bbox_score_thr=threshold)
    if kept:
        check(detected, 'test')
    else:
        with pytest.raises(
            DataError,
            match=r'none of the 3 boxes of .*/boxes.json reaches test_dataloader.dataset.filter_cfg.bbox_score_thr='
            '0.5: '
            'the highest score is 0.3',
        ):
            check(detected, 'test')


def test_boxes_of_a_detector_as_fractions_and_as_corners(form: dict, tmp_path: Path, said: list[str]) -> None:
    detected = dict(form, bbox_file=str(tmp_path / 'boxes.json'), test_mode=True)

    def check_boxes(*boxes: list[float]) -> None:
        entries = [dict(image_id=1, category_id=1, bbox=box, score=0.5) for box in boxes]
        (tmp_path / 'boxes.json').write_text(json.dumps(entries))
        check(detected, 'test')

    check_boxes([30, 20, 50, 80], [90, 20, 50, 80], [10, 20, 50, 80])
    assert said == []
    check_boxes([30, 20, 80, 100], [90, 20, 140, 100], [10, 20, 60, 100])
    assert len(said) == 1 and '1 of 3 detections have a box that fits the picture and its joints as two' in said[0]
    with pytest.raises(
        DataError, match=r'boxes.json: each of its 2 boxes is smaller than a pixel \(first: id 0, 0.2, 0'
    ):
        check_boxes([0.2, 0.1, 0.3, 0.6], [0.4, 0.1, 0.3, 0.6])


# The evaluator's file -------------------------------------------------------------------------------------------------


def test_an_evaluator_that_knows_fewer_images(form: dict, tmp_path: Path, said: list[str]) -> None:
    def keep_first(content: dict[str, Any]) -> None:
        content['images'] = content['images'][:1]
        content['annotations'] = content['annotations'][:1]

    other = edit(tmp_path, keep_first, 'first.json')
    for split in ('val', 'test'):
        with pytest.raises(
            DataError,
            match=rf'{split}_evaluator.ann_file={other} and the {split} data \({tmp_path}/ann.json\) do not belong '
            r'together: .* 2 of 3 \(image id 2, 3\); name the file of the same images',
        ):
            check(form, split, ann_file=str(other))
    check(dict(form, ann_file='first.json'), 'test', ann_file=str(tmp_path / 'ann.json'))
    assert (
        len(said) == 1 and 'the evaluator has 2 images that the data lack (image id 2, 3), and people there' in said[0]
    )


def test_an_evaluator_of_other_images_with_the_same_ids(form: dict, tmp_path: Path, said: list[str]) -> None:
    def rename(content: dict[str, Any]) -> None:
        for image in content['images']:
            image['file_name'] = f'other/{image["id"]}.png'

    with pytest.raises(
        DataError, match='all 3 images have other names for the same id .first: id 1 is 000001 in the data'
    ):
        check(form, 'test', ann_file=str(edit(tmp_path, rename, 'other.json')))
    one = edit(tmp_path, lambda content: content['images'][0].update(file_name='9.jpg'), 'one.json')
    check(form, 'test', ann_file=str(one))
    moved_below = edit(tmp_path, lambda content: content['images'][0].update(file_name='a/000001.jpg'), 'below.json')
    check(form, 'test', ann_file=str(moved_below))
    assert len(said) == 1 and '1 of 3 images have another name for the same id' in said[0]


@pytest.mark.parametrize(
    'text, message',
    [
        (None, 'the annotation file .*/e.json is missing.*correct test_evaluator.ann_file in the config'),
        ('[]', 'e.json is not a COCO annotation file to evaluate with'),
        ('{"images": [], "annotations": []}', 'e.json annotates no key points'),
        ('{"images": [', 'e.json is not a COCO annotation file: it is not valid JSON'),
    ],
)
def test_an_evaluator_file_that_is_none(
    form: dict, tmp_path: Path, said: list[str], text: str | None, message: str
) -> None:
    if text is not None:
        (tmp_path / 'e.json').write_text(text)
    with pytest.raises(DataError, match=message):
        check(form, 'test', ann_file=str(tmp_path / 'e.json'))


def test_each_metric_of_several_data_sets_has_its_own(tmp_path: Path, said: list[str]) -> None:
    parts = []
    for name, kind, joints in (('a', 'CocoDataset', 17), ('b', 'AP10KDataset', 17)):
        (tmp_path / name).mkdir()
        parts.append(dict(type=kind, data_root=str(tmp_path / name), **coco(tmp_path / name, joints)))
    for number, image in enumerate(content := json.loads((tmp_path / 'b/ann.json').read_text())['images']):
        image['id'] = number + 10
    whole = json.loads((tmp_path / 'b/ann.json').read_text())
    whole.update(images=content)
    for ann in whole['annotations']:
        ann['image_id'] += 9
    (tmp_path / 'b/ann.json').write_text(json.dumps(whole))
    metrics = [dict(type='CocoMetric', ann_file=str(tmp_path / name / 'ann.json')) for name in 'ab']
    both = dict(type='CombinedDataset', datasets=parts, metainfo=dict(from_file='configs/_base_/datasets/coco.py'))
    evaluator = dict(
        type='MultiDatasetEvaluator', metrics=metrics, datasets=[dict(type=part['type']) for part in parts]
    )

    def check_both(**changes: Any) -> None:
        cfg = dict(test_dataloader=dict(dataset=both), test_evaluator=dict(evaluator, **changes))
        check_datasets(Config(cfg), ('test',))

    check_both()
    with pytest.raises(DataError, match=r'do not belong together: .* 3 of 3 \(image id 1, 2, 3\)'):
        check_both(metrics=metrics[::-1])


# Pictures -------------------------------------------------------------------------------------------------------------


def turn_by_exif(path: Path) -> None:
    """Let a picture be turned by a quarter by its EXIF data."""
    from PIL import Image

    with Image.open(path) as image:
        image.load()
        exif = image.getexif()
        exif[274] = 6
        image.save(path, exif=exif)


def test_pictures_of_another_size_than_their_entry(form: dict, tmp_path: Path, said: list[str]) -> None:
    turn_by_exif(tmp_path / 'images/000002.jpg')
    for split in ('train', 'test'):
        said.clear()
        check(form, split)
        assert said == [
            f'1 of 3 pictures that were looked at have another size than {tmp_path}/ann.json says (first: '
            f'{tmp_path}/images/000002.jpg is loaded as 120 x 160, its entry says 160 x 120): it is turned by its '
            'EXIF data, '
            'or was for the annotation tool, so joints lie elsewhere in it; turn the pixels of such pictures and take '
            'out '
            'their EXIF orientation, or annotate what is loaded'
        ]
    said.clear()
    check(dict(form, pipeline=[dict(type='LoadImage', color_type='color_ignore_orientation')]))
    assert said == []
    cv2.imwrite(str(tmp_path / 'images/000002.jpg'), np.zeros((60, 80, 3), np.uint8))
    check(form)
    assert (
        len(said) == 1 and 'loaded as 80 x 60, its entry says 160 x 120): joints and boxes must be in pixels' in said[0]
    )


def test_a_sample_knows_the_size_of_its_entry(form: dict, tmp_path: Path) -> None:
    data = CocoDataset(**{key: value for key, value in form.items() if key != 'type'}, pipeline=[])
    assert [data[number]['entry_size'] for number in range(3)] == [(160, 120)] * 3


# Encodings and other forms --------------------------------------------------------------------------------------------


@pytest.mark.parametrize('form_of, kind', [(coco, 'CocoDataset'), (mpii, 'MpiiDataset'), (mpii, 'MpiiTestDataset')])
def test_a_byte_order_mark_is_read_and_utf_16_is_named(
    tmp_path: Path, said: list[str], form_of: Any, kind: str
) -> None:
    dataset = dict(type=kind, data_root=str(tmp_path), **form_of(tmp_path, 17 if form_of is coco else 16))
    file = tmp_path / 'ann.json'
    text = file.read_text()
    file.write_bytes(text.replace(' ', '\r\n').encode('utf-8-sig'))
    check(dataset)
    assert said == []
    for encoding in ('utf-16', 'utf-16-le', 'utf-32'):
        file.write_text(text, encoding=encoding)
        with pytest.raises(DataError, match=f'^{file} is in UTF-16 or UTF-32.*: save it as UTF-8$'):
            check(dataset)
    file.write_bytes(text.replace('000001', '000001\xe4').encode('latin-1'))
    with pytest.raises(DataError, match='ann.json is not .* it is not in UTF-8 .byte .* is 0xe4.: save it as UTF-8'):
        check(dataset)


def test_detections_with_a_byte_order_mark(form: dict, tmp_path: Path, said: list[str]) -> None:
    text = json.dumps([dict(image_id=1, category_id=1, bbox=[30, 20, 50, 80], score=0.3)])
    (tmp_path / 'boxes.json').write_bytes(text.encode('utf-8-sig'))
    detected = dict(form, bbox_file=str(tmp_path / 'boxes.json'), test_mode=True)
    check(detected, 'test', ann_file=str(tmp_path / 'ann.json'))
    (tmp_path / 'boxes.json').write_text(text, encoding='utf-16')
    with pytest.raises(DataError, match='boxes.json is in UTF-16'):
        check(detected, 'test')


OTHER = {
    'Label Studio': '[{"id": 1, "data": {"image": "a.png"}, "annotations": [{"result": []}]}]',
    'Supervisely': '{"description": "", "tags": [], "size": {"height": 1, "width": 1}, "objects": []}',
    'LabelMe': '{"version": "5", "shapes": [], "imagePath": "a.png"}',
    'VGG Image Annotator': '{"a.png123": {"filename": "a.png", "regions": []}}',
    'OpenPose': '{"version": 1.3, "people": [{"pose_keypoints_2d": []}]}',
    'of results': '[{"image_id": 1, "category_id": 1, "keypoints": [], "score": 0.3}]',
    'of detections': '[{"image_id": 1, "category_id": 1, "bbox": [], "score": 0.3}]',
    'annotations alone': '[{"image_id": 1, "category_id": 1, "keypoints": []}]',
    'type=MpiiDataset': '[{"image": "1.jpg", "center": [1, 1], "scale": 1, "joints": [], "joints_vis": []}]',
    'label file of YOLO': '0 .5 .5 .2 .4 .25 .25 2 .3 .4 2 .3 .5 2\n',
    'CVAT': '<?xml version="1.0"?>\n<annotations>\n</annotations>',
    'Pascal VOC': '<annotation><folder/></annotation>',
    'DeepLabCut': 'scorer,a,a,a\nbodyparts,x,x,y\n',
    'one JSON object per line': '{"id": 1}\n{"id": 2}\n',
    'YAML': 'train: images\nkpt_shape: [17, 3]\nnames: [a]\n',
    'comma-separated': 'image,x,y,v,w\n1,2,3,4,5\n',
}


@pytest.mark.parametrize('words', OTHER)
@pytest.mark.parametrize('place', ['data', 'evaluator'])
def test_the_form_of_another_tool_is_named(form: dict, tmp_path: Path, said: list[str], words: str, place: str) -> None:
    file = tmp_path / 'other.json'
    file.write_text(OTHER[words])
    with pytest.raises(DataError, match=f'^{file} is .*{words}'):
        if place == 'data':
            check(dict(form, ann_file='other.json'))
        else:
            check(form, 'test', ann_file=str(file))


@pytest.mark.parametrize(
    'names, fits',
    [
        (['Left Eye', 'nose'], True),
        (['NOSE', 'left_eye'], False),
        (['nose', 'left-eye'], False),
        (['eye', 'nose'], True),
    ],
)
def test_names_are_compared_without_case_and_hyphens(
    form: dict, tmp_path: Path, said: list[str], names: list[str], fits: bool
) -> None:
    joints = {0: dict(name='left_eye', type='', swap=''), 1: dict(name='nose', type='', swap='')}
    info = dict(dataset_name='two', keypoint_info=joints, skeleton_info={}, joint_weights=[1.0] * 2, sigmas=[0.1] * 2)
    edit(
        tmp_path,
        lambda content: content.update(
            categories=[dict(id=1, name='x', keypoints=names), dict(id=2, keypoints=['nose'])]
        ),
    )
    edit(tmp_path, people(lambda ann: ann.update(keypoints=ann['keypoints'][:6])))
    dataset = dict(form, metainfo=info)
    if fits:
        check(dataset)
    else:
        with pytest.raises(
            DataError, match='its categories name .* as joint 0 .counted from 0., the metainfo .* joint 1'
        ):
            check(dataset)
