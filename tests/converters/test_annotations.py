"""What YOLO and Label Studio write as annotations of COCO's form: every number by hand."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from sdpose.converters.annotations import convert_annotations
from sdpose.errors import UserError

THREE = 'top,mid,low'


def picture(file: Path, width: int = 160, height: int = 120) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(file), np.zeros((height, width, 3), np.uint8))
    return file


@pytest.fixture
def yolo(tmp_path: Path) -> Path:
    """A data set of two splits; a picture of the first has no label file."""
    root = tmp_path / 'yolo'
    picture(root / 'images/train/a.png')
    picture(root / 'images/train/b.png', 200, 100)
    picture(root / 'images/train/sub/c.jpg')
    picture(root / 'images/val/v.png')
    for name, text in {
        'train/a': '0 .5 .5 .2 .4 .25 .25 2 .3 .4 1 0 0 0\n0 0.25 0.25 0.5 0.5 0.1 0.1 2 0.2 0.2 2 0.3 0.3 2\n\n',
        'train/sub/c': '1 .5 .5 1 1 .5 .5 2 .5 .75 2 .5 1 2\n',
        'val/v': '0 .5 .5 .5 .5 .5 .5 2 .5 .5 2 .5 .5 2\n',
    }.items():
        file = root / f'labels/{name}.txt'
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (root / 'data.yaml').write_text(
        'path: .\ntrain: images/train\nval: images/val\nkpt_shape: [3, 3]\nnames: {0: person, 1: dog}\n'
    )
    return root


def read(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text())


def test_yolo(yolo: Path, tmp_path: Path) -> None:
    train, val = convert_annotations(yolo, tmp_path / 'out', joints=THREE)
    assert (train.file, train.images, train.pictures, train.people) == (
        tmp_path / 'out/train.json',
        yolo / 'images/train',
        3,
        3,
    )
    assert train.remarks == ['1 of 3 pictures have no label file, and nobody on them: b.png'] and val.remarks == []
    content = read(train.file)
    assert content['images'] == [
        dict(id=1, file_name='a.png', width=160, height=120),
        dict(id=2, file_name='b.png', width=200, height=100),
        dict(id=3, file_name='sub/c.jpg', width=160, height=120),
    ]
    one, _, dog = content['annotations']
    # The centre (80, 60) of a box of 32 x 48; joints at a quarter, and at 0.3 and 0.4 of 160 x 120.
    assert one == dict(
        id=1, image_id=1, category_id=1, bbox=[64, 36, 32, 48], area=814.08, iscrowd=0, num_keypoints=2,
        keypoints=[40, 30, 2, 48, 48, 1, 0, 0, 0],
    )  # fmt: skip
    assert dog['category_id'] == 2 and dog['bbox'] == [0, 0, 160, 120] and dog['image_id'] == 3
    names = THREE.split(',')
    assert content['categories'] == [
        dict(id=1, name='person', keypoints=names, skeleton=[]),
        dict(id=2, name='dog', keypoints=names, skeleton=[]),
    ]
    assert read(val.file)['annotations'][0]['keypoints'] == [80, 60, 2] * 3


def test_names_of_joints(yolo: Path, tmp_path: Path) -> None:
    """From the description, from a file, guessed for 17, asked for otherwise."""
    about = yolo / 'data.yaml'
    with pytest.raises(UserError, match='does not name its 3 joints: give --joints with their names in order'):
        convert_annotations(yolo, tmp_path / 'out')
    assert not (tmp_path / 'out').exists()
    with pytest.raises(UserError, match='--joints names 2 joints, but .*data.yaml has 3 for each person'):
        convert_annotations(yolo, tmp_path / 'out', joints='a,b')
    with pytest.raises(UserError, match='--joints a,a,b: a stands twice'):
        convert_annotations(yolo, tmp_path / 'out', joints='a,a,b')
    (tmp_path / 'names.txt').write_text('a\nb\n\nc\n')
    assert convert_annotations(about, tmp_path / 'out', joints=str(tmp_path / 'names.txt'))[0].joints == ['a', 'b', 'c']
    about.write_text(about.read_text() + 'kpt_names: {0: [x, y, z]}\n')
    assert convert_annotations(about, tmp_path / 'out')[1].joints == ['x', 'y', 'z']
    about.write_text('train: images/val\nkpt_shape: [17, 2]\n')
    (yolo / 'labels/val/v.txt').write_text('0 .5 .5 .5 .5 ' + '.5 .5 ' * 16 + '0 0')
    (done,) = convert_annotations(yolo, tmp_path / 'out')
    assert done.joints[1] == 'left_eye' and 'are taken for those of COCO, in its order' in done.remarks[0]
    assert read(done.file)['annotations'][0]['keypoints'] == [80, 60, 2] * 16 + [0, 0, 0]


def test_labels_alone(yolo: Path, tmp_path: Path) -> None:
    (yolo / 'labels/train/lost.txt').write_text('')
    (done,) = convert_annotations(yolo / 'labels/train', tmp_path / 'out', images=yolo / 'images/train', joints=THREE)
    assert done.file.name == 'annotations.json' and done.people == 3
    assert '1 label files of ' in done.remarks[1] and 'lost.txt' in done.remarks[1]
    with pytest.raises(UserError, match='holds no data.yaml that names its pictures: name their folder by --images'):
        convert_annotations(yolo / 'labels/train', tmp_path / 'out', joints=THREE)


@pytest.mark.parametrize(
    'text, message',
    [
        ('0 .5 .5 .2 .4 .25 .25 2', 'v.txt, line 1: 7 numbers stand behind the class, expected 13'),
        ('0 80 60 20 40 ' + '40 30 2 ' * 3, 'v.txt, line 1: the box .* is not in fractions of the picture'),
        ('person .5', "v.txt, line 1: a class and numbers are expected, there is 'person .5'"),
        ('', 'nobody is annotated in val'),
    ],
)
def test_wrong_lines(yolo: Path, tmp_path: Path, text: str, message: str) -> None:
    """Nothing is written, of the sound split neither."""
    (yolo / 'labels/val/v.txt').write_text(text)
    with pytest.raises(UserError, match=message):
        convert_annotations(yolo, tmp_path / 'out', joints=THREE)
    assert not (tmp_path / 'out/val.json').exists()


@pytest.mark.parametrize(
    'about, message',
    [
        ('train: images/train\n', 'kpt_shape must be .joints, 2 or 3., is None'),
        ('kpt_shape: [3, 3]\n', 'names no folder of pictures'),
        ('kpt_shape: [3, 3]\ntrain: none\n', 'names the folder none, and there is none at'),
        ('kpt_shape: [3, 3]\ntrain: list.txt\n', "train must be one folder of pictures, is 'list.txt'"),
        ('[', 'cannot be read as YAML'),
    ],
)
def test_wrong_descriptions(yolo: Path, tmp_path: Path, about: str, message: str) -> None:
    (yolo / 'data.yaml').write_text(about)
    with pytest.raises(UserError, match=message):
        convert_annotations(yolo, tmp_path / 'out', joints=THREE)


def point(name: str, x: float, y: float, **more: Any) -> dict[str, Any]:
    return dict(type='keypointlabels', value=dict(x=x, y=y, width=0.6, keypointlabels=[name]), **more)


def box(x: float, y: float, width: float, height: float, **more: Any) -> dict[str, Any]:
    value = dict(x=x, y=y, width=width, height=height, rotation=0, rectanglelabels=['person'])
    return dict(type='rectanglelabels', value=value, **more)


def task(name: str, *regions: dict[str, Any], **more: Any) -> dict[str, Any]:
    return dict(data=dict(image=name), annotations=[dict(result=list(regions), **more)])


@pytest.fixture
def studio(tmp_path: Path) -> Callable[..., tuple[dict[str, Any], list[str]]]:
    picture(tmp_path / 'images/a 1.png')
    picture(tmp_path / 'images/sub/b.png', 200, 100)

    def run(*tasks: Any, **options: Any) -> tuple[dict[str, Any], list[str]]:
        (tmp_path / 'studio.json').write_text(json.dumps(tasks))
        options = dict(images=tmp_path / 'images', joints=THREE) | options
        (done,) = convert_annotations(tmp_path / 'studio.json', tmp_path / 'out', **options)
        return read(done.file), done.remarks

    return run


def test_label_studio(studio: Callable) -> None:
    """An uploaded file, one of the server, and both ways to say whose joints they are, beside where they lie."""
    content, remarks = studio(
        task(
            '/data/upload/1/0a1b2c3d-a%201.png',
            box(0, 0, 50, 50, id='small'),
            box(0, 0, 100, 100, id='large'),
            point('low', 25, 25),
            point('top', 75, 75),
            point('mid', 30, 30, parentID='large'),
            point('top', 40, 10, id='p'),
            dict(type='relation', from_id='small', to_id='p'),
        ),
        task('/data/local-files/?d=set/sub/b.png', point('mid', 50, 50), point('top', 50, 10)),
    )
    assert remarks == []
    assert [image['file_name'] for image in content['images']] == ['a 1.png', 'sub/b.png']
    small, large, alone = content['annotations']
    assert small['bbox'] == [0, 0, 80, 60] and small['keypoints'] == [64, 12, 2, 0, 0, 0, 40, 30, 2]
    assert large['bbox'] == [0, 0, 160, 120] and large['keypoints'] == [120, 90, 2, 48, 36, 2, 0, 0, 0]
    # Joints at (100, 50) and (100, 10) span 0 x 40; a tenth of 40 is around them.
    assert alone['bbox'] == [96, 6, 8, 48] and alone['area'] == pytest.approx(0.53 * 8 * 48)
    assert alone['keypoints'] == [100, 10, 2, 100, 50, 2, 0, 0, 0] and alone['num_keypoints'] == 2


def test_what_label_studio_leaves_open_is_said(studio: Callable) -> None:
    twice = task('a 1.png', box(0, 0, 50, 50), point('b', 1, 1), point('a', 2, 2), point('b', 9, 9))
    twice['annotations'].insert(0, dict(result=[], was_cancelled=True))
    twice['annotations'].append(dict(result=[]))
    twice['annotations'][1]['result'][0]['value']['rotation'] = 4
    content, remarks = studio(twice, joints=None)
    assert content['categories'][0]['keypoints'] == ['b', 'a']
    assert content['annotations'][0]['keypoints'] == [14.4, 10.8, 2, 3.2, 2.4, 2]
    for part, remark in zip(
        ('order of joints is guessed', 'several people', 'turned', 'a joint twice'), remarks, strict=True
    ):
        assert part in remark
    small = dict(image='x-a 1.png', kp=[dict(x=50, y=50, width=1, keypointlabels=['top'], original_width=160)], id=3)
    content, _ = studio(dict(small, image='/data/upload/ab12-a%201.png'))  # JSON_MIN
    assert content['annotations'][0]['keypoints'][:3] == [80, 60, 2]


@pytest.mark.parametrize(
    'tasks, options, message',
    [
        ([task('none.png', point('top', 1, 1))], {}, 'the picture none.png is not in .*images: name their folder'),
        ([task('a 1.png', point('eye', 1, 1))], {}, 'has joints that --joints does not name: eye'),
        ([task('a 1.png')], {}, 'holds no key points'),
        ([dict(id=1)], {}, 'task 0 .counted from 0. names no picture'),
        ([task('a 1.png', point('top', 1, 'y'))], {}, 'a region without numbers for x, y'),
        ([task('a 1.png', point('top', 1, 1))], dict(images=None), 'name their folder by --images'),
        ([1], {}, 'is no export of Label Studio: it must be a JSON list of tasks'),
    ],
)  # fmt: skip
def test_wrong_exports(studio: Callable, tasks: list[Any], options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        studio(*tasks, **options)


def test_the_tool(yolo: Path, tmp_path: Path, run_tool: Callable) -> None:
    done = run_tool('tools/dataset_tools/convert.py', yolo, '--out', tmp_path / 'out', '--joints', THREE, check=True)
    assert done.stdout.splitlines()[:3] == [
        'note: 1 of 3 pictures have no label file, and nobody on them: b.png',
        f'{tmp_path}/out/train.json: 3 people on 3 pictures of {yolo}/images/train',
        'joints: top, mid, low',
    ]
    with pytest.raises(UserError, match='none is missing: name a folder of YOLO'):
        convert_annotations(tmp_path / 'none', tmp_path / 'out')
