"""The repaired copy of annotations, by hand, and the data checker as a user runs it."""

import copy
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from browser import open_browser
from stick_people import write_coco

from sdpose.apis.data_check import check_data
from sdpose.apis.data_check.expected import expected_files
from sdpose.apis.data_check.repair import repair
from sdpose.config.load import load_config
from sdpose.errors import UserError

Content = dict[str, Any]
JOINTS = ['top', 'mid', 'low']
CONFIG = """
_base_ = ['{root}/configs/_base_/default_runtime.py', '{root}/configs/_base_/datasets/coco_256x192.py']
joint = dict(color=[255, 0, 0], type='upper', swap='')
joints = {{n: dict(joint, name=name, id=n) for n, name in enumerate(['top', 'mid', 'low'])}}
three = dict(dataset_name='three', paper_info=dict(), keypoint_info=joints, skeleton_info={{}}, joint_weights=[1.0] * 3,
             sigmas=[0.05] * 3)
model = dict(type='TopdownPoseEstimator')
val_dataloader = dict(dataset=dict(metainfo=three, data_root='', ann_file='val.json', data_prefix=dict(img='images/'),
                                   bbox_file=None))
val_evaluator = dict(ann_file='val.json')
train_dataloader = test_dataloader = test_evaluator = test_cfg = None
"""


@pytest.fixture
def content(tmp_path: Path) -> Content:
    """Four people on four pictures of 160 x 120."""
    (tmp_path / 'images').mkdir()
    rng = np.random.default_rng(0)
    images = []
    for number in range(1, 5):
        picture = cv2.resize(rng.integers(0, 255, (6, 8, 3), np.uint8), (160, 120))
        cv2.imwrite(str(tmp_path / f'images/a {number}.png'), picture)
        images.append(dict(id=number, file_name=f'a {number}.png', width=160, height=120))
    people = [
        dict(
            id=number,
            image_id=number,
            category_id=1,
            iscrowd=0,
            num_keypoints=3,
            area=1200.0,
            bbox=[30 + number, 20, 40, 60],
            keypoints=[50 + number, 25, 2, 52, 50, 2, 51, 78, 1],
        )
        for number in range(1, 5)
    ]
    category = dict(id=1, name='person', keypoints=JOINTS, skeleton=[[1, 2]])
    return dict(images=images, annotations=people, categories=[category])


def every(**values: Any) -> Callable[[Content], None]:
    return lambda content: [ann.update(copy.deepcopy(values)) for ann in content['annotations']] and None


def without(key: str, what: str = 'annotations') -> Callable[[Content], None]:
    return lambda content: [entry.pop(key) for entry in content[what]] and None


def corners(content: Content) -> None:
    for ann in content['annotations']:
        x, y, width, height = ann['bbox']
        ann['bbox'] = [x, y, x + width, y + height]


def fractions(content: Content) -> None:
    for ann in content['annotations']:
        ann['bbox'] = (np.array(ann['bbox']) / (160, 120, 160, 120)).tolist()
        joints = np.reshape(ann['keypoints'], (3, 3)) / (160, 120, 1)
        ann['keypoints'] = joints.ravel().tolist()


def other_order(content: Content) -> None:
    content['categories'][0]['keypoints'] = ['Low', 'top', 'mid']
    for ann in content['annotations']:
        ann['keypoints'] = ann['keypoints'][6:] + ann['keypoints'][:6]


def no_visibility(content: Content) -> None:
    for ann in content['annotations']:
        ann['keypoints'] = [number for place, number in enumerate(ann['keypoints']) if place % 3 < 2]


def other_names(content: Content) -> None:
    for image in content['images']:
        image['file_name'] = image['file_name'].replace(' ', '%20')


def text_ids(content: Content) -> None:
    for image, ann in zip(content['images'], content['annotations'], strict=True):
        image['id'] = ann['image_id'] = f'picture {image["id"]}'


def quoted(content: Content) -> None:
    for ann in content['annotations']:
        ann.update(image_id=str(ann['image_id']), bbox=[str(number) for number in ann['bbox']])


def strangers(content: Content) -> None:
    content['annotations'].append(dict(content['annotations'][0], id=9, image_id=77))
    content['images'].append(dict(content['images'][0], id=8, file_name='none.png'))


def doubled(content: Content) -> None:
    content['annotations'] += [dict(ann, id=ann['id'] + 10) for ann in content['annotations']]


SAME: list[tuple[str, Callable[[Content], Any], dict[str, int]]] = [
    ('nothing', lambda c: None, {}),
    ('num_keypoints', every(num_keypoints=0), {'num_keypoints counted anew': 4}),
    ('no num_keypoints', without('num_keypoints'), {'num_keypoints counted anew': 4}),
    ('no iscrowd', without('iscrowd'), {'iscrowd written as a number': 4}),
    ('no size', without('width', 'images'), {'sizes of images taken from their files': 4}),
    ('corners', corners, {'boxes as two corners turned into x, y, width, height': 4}),
    ('names', other_names, {'file names corrected': 4}),
    ('ids', text_ids, {'images numbered anew, and their annotations with them': 4}),
    ('quotation marks', quoted, {'numbers in quotation marks written without': 8}),
    ('category', every(category_id=7), {'annotations given the category that the file lists': 4}),
    ('same ids', every(id=1), {'annotations numbered anew': 4}),
    ('doubled', doubled, {'repeated people dropped': 4}),
    ('order', other_order, {'people whose joints were put into the order of the metainfo, by their names': 4}),
    (
        'strangers',
        strangers,
        {'annotations of images that are not listed dropped': 1, 'images without a file dropped': 1},
    ),
]


@pytest.mark.parametrize('spoil, done', [pytest.param(*row[1:], id=row[0]) for row in SAME])
def test_what_was_spoiled_is_repaired(
    content: Content, tmp_path: Path, spoil: Callable[[Content], Any], done: dict[str, int]
) -> None:
    """To what it was before."""
    spoiled = copy.deepcopy(content)
    spoil(spoiled)
    before = copy.deepcopy(spoiled)
    repaired, changes = repair(spoiled, tmp_path / 'images', JOINTS, True)
    assert spoiled == before and dict(changes) == done
    assert repaired['images'] == content['images'] and repaired['annotations'] == content['annotations']
    assert repaired['categories'][0]['keypoints'] == JOINTS


def repaired_first(content: Content, tmp_path: Path, **values: Any) -> tuple[Content, Counter[str]]:
    content['annotations'][0].update(values)
    repaired, changes = repair(content, tmp_path / 'images', JOINTS, True)
    return repaired['annotations'][0], changes


def test_boxes_areas_and_joints_by_hand(content: Content, tmp_path: Path) -> None:
    ann, changes = repaired_first(content, tmp_path, bbox=None, area=0)
    # Joints span 51 to 52 and 25 to 78, and a tenth of 53 is around them; the area is 0.53 of the box.
    assert ann['bbox'] == [45.7, 19.7, 11.6, 63.6] and ann['area'] == pytest.approx(0.53 * 11.6 * 63.6, abs=0.01)
    assert dict(changes) == {
        'boxes made of labelled joints and a tenth of their extent around them': 1,
        'areas estimated as 0.53 of the box': 1,
    }
    joints = [0, 0, 2, 52, None, 1, 51, 78, True]
    ann, changes = repaired_first(content, tmp_path, keypoints=joints, bbox=[1, 2, 3, 4], area=5)
    assert ann['keypoints'] == [0, 0, 0, 0, 0, 0, 51, 78, 1] and ann['num_keypoints'] == 1
    assert sorted(changes.values()) == [1, 1, 2]  # num_keypoints, a flag and two joints
    ann, changes = repaired_first(content, tmp_path, keypoints=[50, 25, -1, 52, 50, 2, 51, 78, 0.5])
    assert ann['keypoints'] == [50, 25, 0, 52, 50, 2, 51, 78, 0.5] and sum(changes.values()) == 2
    for left in ([50, 25, -1] * 3, [50, 25, None] * 3):  # nobody knows what they mean
        ann, changes = repaired_first(content, tmp_path, keypoints=left, num_keypoints=3)
        assert ann['keypoints'] == left and not changes


def test_one_box_over_the_border_is_cut_and_many_are_not(content: Content, tmp_path: Path) -> None:
    """Many are in another unit, which to cut would hide."""
    content['annotations'] = [
        dict(ann, id=number, bbox=[*ann['bbox'][:3], 60 + number])
        for number, ann in enumerate(content['annotations'] * 4, 1)
    ]
    few = copy.deepcopy(content)
    few['annotations'][0]['bbox'] = [-5, 20, 80, 200]
    repaired, changes = repair(few, tmp_path / 'images', JOINTS, True)
    assert repaired['annotations'][0]['bbox'] == [0, 20, 75, 100]
    assert dict(changes) == {'boxes cut at the border of their image': 1}
    for ann in content['annotations']:
        ann['bbox'] = [1, 1, 900 + ann['id'], 500]
    assert repair(content, tmp_path / 'images', JOINTS, True)[1] == {}


def test_fractions_turn_into_pixels(content: Content, tmp_path: Path) -> None:
    spoiled = copy.deepcopy(content)
    fractions(spoiled)
    repaired, changes = repair(spoiled, tmp_path / 'images', JOINTS, True)
    assert sorted(changes.values()) == [4, 4]
    for ann, sound in zip(repaired['annotations'], content['annotations'], strict=True):
        assert ann['bbox'] == pytest.approx(sound['bbox'], abs=0.01)
        assert ann['keypoints'] == pytest.approx(sound['keypoints'], abs=0.01)
    no_visibility(content)
    repaired, changes = repair(content, tmp_path / 'images', JOINTS, True)
    assert repaired['annotations'][3]['keypoints'] == [54, 25, 2, 52, 50, 2, 51, 78, 2]


@pytest.fixture
def folder(content: Content, tmp_path: Path, repo_root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a config and the people in files."""
    (tmp_path / 'three.py').write_text(CONFIG.format(root=repo_root))
    (tmp_path / 'val.json').write_text(json.dumps(content))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_tool(folder: Path, content: Content, run_tool: Callable) -> None:
    """An error is status 1; the repaired copy checks clean, with status 0."""
    content['annotations'][1].pop('bbox')
    content['images'][0]['file_name'] = 'a%201.png'
    (folder / 'val.json').write_text(json.dumps(content))
    tool = 'tools/dataset_tools/check_dataset.py'
    done = run_tool(tool, 'three.py', '--fix', 'fixed.json', '--workers', 2, cwd=folder)
    assert done.returncode == 1, done.stderr
    assert 'val: val.json (ArrayCocoDataset)' in done.stdout and '\n2 errors, 0 warnings\n' in done.stdout
    assert '  error: val.json: annotation id 2 on image id 2 has no bbox' in done.stdout
    assert 'a 1.png is there: its name is written as in a web address' in done.stdout
    assert '  boxes made of labelled joints and a tenth of their extent around them: 1' in done.stdout
    options = {'val_dataloader.dataset.ann_file': 'fixed.json', 'val_evaluator.ann_file': 'fixed.json'}
    lines, status = check_data('three.py', ['val'], cfg_options=options)
    assert status == 0 and lines[-1] == '0 errors, 0 warnings'
    assert any('4 people, 0 of them without a labelled joint' in line for line in lines)
    with pytest.raises(UserError, match='--fix val.json is the annotation file itself'):
        check_data('three.py', ['val'], fix=Path('val.json'))


def test_mistakes_are_one_line(folder: Path) -> None:
    with pytest.raises(UserError, match='--workers 0: give at least 1'):
        check_data('three.py', ['val'], workers=0)
    with pytest.raises(UserError, match='three.py has no train_dataloader'):
        check_data('three.py', ['train'])
    (folder / 'val.json').write_text('[]')
    with pytest.raises(UserError, match='val.json is not a COCO annotation file'):
        check_data('three.py', ['val'], fix=Path('fixed.json'))
    assert not Path('fixed.json').exists()


def test_files_of_public_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is there in the place of COCO is compared with COCO; data of other names with nothing."""
    monkeypatch.chdir(tmp_path)
    stick_people = tmp_path / 'stick'
    write_coco(stick_people)
    cfg = load_config('sdpose-s-v1_stemnet_8xb64-300e_coco-256x192', {'data_root': f'{stick_people}/coco/'})
    head, train, val, annotations, *rest = expected_files(cfg)
    assert head == f'{stick_people}/coco/ should be coco, whose files are, as everybody has them:'
    assert train == f'  differs  {stick_people}/coco/train2017: 118,287 images are expected, it has 6 images'
    assert val.endswith('5,000 images are expected, it has 4 images')
    assert annotations.endswith('6 listed images, 12 annotated people, 12 people with labelled key points')
    assert rest[1].endswith('104,125 person boxes are expected, it has 9 person boxes')
    missing = expected_files(load_config('deit-tiny_8xb128-300e_imagenet-224x224'))
    assert missing[1:] == [
        '  missing  data/imagenet/train: 1,000 folders of classes, 1,281,167 images',
        '  missing  data/imagenet/val: 1,000 folders of classes, 50,000 images',
    ]
    assert expected_files(load_config('sdpose-deit-mini_1xb64-30e_shapes-40x40')) == []
    assert expected_files(load_config('sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48')) == []


def test_the_page_in_a_browser(folder: Path, content: Content) -> None:
    """It is whole without a network, follows light and dark, and fits a phone."""
    content['annotations'][1].pop('bbox')
    content['images'].append(dict(content['images'][0], id=5))
    (folder / 'val.json').write_text(json.dumps(content))
    lines, status = check_data('three.py', ['val'], html=Path('page'))
    assert status == 1 and lines[-1] == 'page/index.html'
    report = json.loads(Path('page/report.json').read_text())
    assert (report['errors'], report['warnings'], report['sets'][0]['numbers']['people']) == (1, 1, 3)
    page = Path('page/index.html').read_text()
    assert page.count('<img src="data:image/jpeg;base64,') == 3 and '<b>error</b> val.json: annotation id 2' in page
    with open_browser() as browser:
        for width in (390, 1200):
            grounds = []
            for scheme in ('light', 'dark'):
                shown = browser.new_page(viewport=dict(width=width, height=800), color_scheme=scheme)
                asked: list[str] = []
                shown.on('request', lambda request, asked=asked: asked.append(request.url))
                shown.on('pageerror', lambda error, asked=asked: asked.append(str(error)))
                address = (folder / 'page/index.html').as_uri()
                shown.goto(address)
                assert asked == [address]
                assert shown.evaluate('document.documentElement.scrollWidth') <= width
                links = shown.evaluate('[...document.querySelectorAll("nav a")].map(link => link.hash.slice(1))')
                assert links == shown.evaluate('[...document.querySelectorAll("section")].map(part => part.id)')
                assert shown.locator('svg[role=img]').count() == 2
                color = shown.evaluate('getComputedStyle(document.body).backgroundColor')
                grounds.append(int(color.split('(')[1].split(',')[0]))
            assert grounds[0] > 240 and grounds[1] < 40
