"""The check in depth: silent on drawn people of every style, and every kind of fault told on a spoiled copy of them."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from sdpose.preflight.in_depth import Inspection, inspect_data
from sdpose.preflight.in_depth.alike import difference_hashes, find_alike
from sdpose.preflight.in_depth.finding import sift
from sdpose.preflight.in_depth.layout import Layout, broken_shares, remarks_on_layout
from sdpose.synthetic.generate import generate
from sdpose.synthetic.request import Request

Content = dict[str, Any]
_KINDS = dict(coco='ArrayCocoDataset', crowdpose='ArrayCrowdPoseDataset', mpii='MpiiDataset')


@pytest.fixture(scope='module')
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Folders of drawn people, each made once."""
    folders: dict[str, Path] = {}

    def draw(style: str) -> Path:
        if style not in folders:
            folders[style] = tmp_path_factory.mktemp(style) / 'set'
            generate(folders[style], Request(40, 8, 3, 'normal', (160, 120), style), workers=1)
        return folders[style]

    return draw


@pytest.fixture
def people(drawn: Callable[[str], Path], tmp_path: Path) -> Iterator[Path]:
    """A copy of drawn people in COCO's form, to be spoiled."""
    shutil.copytree(drawn('coco'), tmp_path / 'set')
    yield tmp_path / 'set'


def config(root: Path, style: str = 'coco') -> Config:
    def dataset(split: str) -> Content:
        files = dict(ann_file=f'annotations/{split}.json', data_prefix=dict(img=f'{split}/'))
        if style == 'crowdpose':
            name = dict(train='trainval', val='test')[split]
            files = dict(ann_file=f'annotations/mmpose_crowdpose_{name}.json', data_prefix=dict(img='images/'))
        if style == 'mpii':
            files = dict(ann_file=f'annotations/mpii_{split}.json', data_prefix=dict(img='images/'))
        pipeline = [dict(type='LoadCheckedImage')]
        return dict(type=_KINDS[style], data_root=str(root), pipeline=pipeline, **files)

    evaluator = dict(type='CocoMetric', ann_file=str(root / 'annotations/val.json'))
    loaders = {f'{split}_dataloader': dict(dataset=dataset(split)) for split in ('train', 'val')}
    return Config(dict(loaders, **({} if style != 'coco' else dict(val_evaluator=evaluator))))


def look(root: Path, style: str = 'coco') -> Inspection:
    return inspect_data(config(root, style), ('train', 'val'))


@pytest.mark.parametrize('style', ['coco', 'crowdpose', 'mpii'])
def test_drawn_people_are_sound(drawn: Callable[[str], Path], style: str) -> None:
    inspection = look(drawn(style), style)
    assert inspection.findings == [] and inspection.errors == 0
    train, val = inspection.sets
    assert (train.name, val.name) == ('train', 'val') and train.numbers['pictures_read'] == 40
    assert train.numbers['widths'] == [160] * 5 and val.numbers['heights'] == [120] * 5


def test_people_are_counted(people: Path) -> None:
    train, _ = look(people).sets
    annotations = json.loads((people / 'annotations/train.json').read_text())['annotations']
    flags = np.array([ann['keypoints'][2::3] for ann in annotations])
    assert train.numbers['people'] == train.numbers['annotations'] == len(annotations)
    assert train.numbers['without_joints'] == int((flags.max(axis=1) == 0).sum())
    assert train.numbers['labelled'] == np.bincount((flags > 0).sum(axis=1), minlength=18).tolist()
    nose = train.numbers['joints'][0]
    assert nose['name'] == 'nose' and nose['labelled'] == pytest.approx((flags[:, 0] > 0).mean())
    assert nose['visible'] == pytest.approx((flags[:, 0] == 2).sum() / (flags[:, 0] > 0).sum())
    areas = np.array([ann['bbox'][2] * ann['bbox'][3] for ann in annotations])
    assert train.numbers['areas'][0] == pytest.approx((areas <= 1024).mean())


def first(count: int, change: Callable[[Content], Any]) -> Callable[[Content], None]:
    """A change of the first annotations that are people with joints."""

    def spoil(content: Content) -> None:
        for ann in [ann for ann in content['annotations'] if ann['num_keypoints'] > 10][:count]:
            change(ann)

    return spoil


def exchange(ann: Content) -> None:
    """Left and right of COCO's joints."""
    joints = np.reshape(ann['keypoints'], (17, 3))
    order = [0, *(place + 1 if place % 2 else place - 1 for place in range(1, 17))]
    ann['keypoints'] = joints[order].ravel().tolist()


def shift(ann: Content) -> None:
    """Each joint in the place of the one after it."""
    ann['keypoints'] = np.roll(np.reshape(ann['keypoints'], (17, 3)), 1, axis=0).ravel().tolist()


def flag(value: float) -> Callable[[Content], None]:
    return lambda ann: ann['keypoints'].__setitem__(2, value)


def moved(ann: Content) -> None:
    ann['keypoints'] = [number + 900 * (place % 3 < 1) for place, number in enumerate(ann['keypoints'])]


def repeat(content: Content) -> None:
    content['annotations'] += [{**ann, 'id': 9000 + ann['id']} for ann in content['annotations'][:9]]


def same_id(content: Content) -> None:
    content['annotations'][1]['id'] = content['annotations'][0]['id']


def same_image_id(content: Content) -> None:
    content['images'][1]['id'] = content['images'][0]['id']


def same_file(content: Content) -> None:
    content['images'][1]['file_name'] = content['images'][0]['file_name']


ENTRIES: list[tuple[str, Callable[[Content], Any], str, str]] = [
    ('image without a file', lambda c: c['images'][0].update(file_name='none.jpg'), 'error', '1 images .* are missing'),
    ('size', lambda c: c['images'][2].update(width=161), 'warning', '1 of 40 pictures .* have another size'),
    ('image field', lambda c: c['images'][2].pop('width'), 'error', 'image id 3 has no width'),
    ('image value', lambda c: c['images'][2].update(height=0), 'error', 'height must be a positive number, is 0'),
    ('box outside', first(1, lambda a: a.update(bbox=[500, 9, 9, 9])), 'warning', '1 annotation.s. have a box outside'),
    ('zero area', first(2, lambda a: a.update(bbox=[5, 9, 0, 9])), 'warning', '2 annotation.s. have a box of zero'),
    ('field', first(3, lambda a: a.pop('category_id')), 'error', '3 of [0-9]+ annotations are .* has no category_id'),
    ('box missing', first(2, lambda a: a.pop('bbox')), 'error', '2 of [0-9]+ annotations are at fault.* has no bbox'),
    ('joints', first(2, lambda a: a.update(keypoints=[1, 1, 2])), 'error', '2 of .* has 3 key point numbers'),
    ('number', first(2, lambda a: a['keypoints'].__setitem__(3, None)), 'error', 'key point number 3 .* is None'),
    ('negative visibility', first(2, flag(-1)), 'error', '2 of .* have a joint with visibility -1'),
    ('visibility 3', first(2, flag(3)), 'warning', '2 of .* have a joint whose visibility is above 2'),
    ('visibility 0.5', first(2, flag(0.5)), 'warning', '2 of .* have a joint whose visibility is a fraction'),
    ('joints outside', first(9, moved), 'warning', '9 of .* have more than half of their labelled joints outside'),
    ('left and right', first(30, exchange), 'warning', 'people whose face is seen have left and right exchanged'),
    ('everybody', first(999, exchange), 'warning', 'people whose face is seen have left and right exchanged'),
    ('order', first(999, shift), 'warning', 'another order than that of the metainfo.*indices begin with 1'),
    ('unlisted image', first(2, lambda a: a.update(image_id=777)), 'error', '2 of .* image id 777, which the file'),
    ('annotation ids', same_id, 'error', 'annotation id [0-9]+ is used more than once'),
    ('image ids', same_image_id, 'error', 'image id 1 is used more than once, by'),
    ('file twice', same_file, 'warning', '1 images have the file of another entry'),
    ('repeated', repeat, 'warning', '[0-9]+ of [0-9]+ annotations repeat another one of their picture'),
    ('no joints', first(2, lambda a: a.update(num_keypoints=0)), 'warning', '2 of .* have num_keypoints 0 although'),
    ('text', first(1, lambda a: a.update(image_id='1')), 'error', "image_id must be an integer, is '1' .a number"),
]  # fmt: skip


@pytest.mark.parametrize('spoil, level, text', [pytest.param(*row[1:], id=row[0]) for row in ENTRIES])
def test_entries(people: Path, spoil: Callable[[Content], Any], level: str, text: str) -> None:
    file = people / 'annotations/train.json'
    content = json.loads(file.read_text())
    spoil(content)
    file.write_text(json.dumps(content))
    found = look(people).findings
    matching = [each for each in found if re.search(text, each.text)]
    assert [each.level for each in matching] == [level], found
    assert str(people) in matching[0].text and len(found) <= 3


def test_several_faults_are_all_told(people: Path) -> None:
    """A run ends at the first; here the others come, too, and the entries without a fault are still looked at."""
    file = people / 'annotations/train.json'
    content = json.loads(file.read_text())
    content['annotations'][0].pop('bbox')
    content['annotations'][1]['image_id'] = 777
    content['images'][39]['width'] = '160'
    first(999, shift)(content)
    file.write_text(json.dumps(content))
    train, _ = look(people).sets
    said = ' '.join(each.text for each in train.findings)
    for part in ('has no bbox', 'refers to image id 777', "width must be a positive number, is '160'", 'another order'):
        assert part in said
    left = {
        ann['image_id']
        for ann in content['annotations']
        if 'bbox' in ann and ann['image_id'] not in (777, 40) and max(ann['keypoints'][2::3])
    }
    assert train.numbers['pictures_read'] == len(left)


def test_the_evaluation_has_rules_of_its_own(people: Path) -> None:
    file = people / 'annotations/val.json'
    content = json.loads(file.read_text())
    for ann in content['annotations']:
        ann['category_id'] = 2
    file.write_text(json.dumps(content))
    (finding,) = look(people).findings
    assert finding.level == 'error' and 'a category that the file does not list' in finding.text


def test_pictures(people: Path) -> None:
    paths = sorted((people / 'train').iterdir())
    paths[0].write_bytes(paths[0].read_bytes()[:-400])
    paths[1].write_bytes(b'no picture')
    shutil.copy(paths[2], paths[3])
    with Image.open(paths[4]) as image:
        exif = image.getexif()
        exif[274] = 3  # upside down, which the size does not tell
        image.save(paths[4], exif=exif)
    found = {each.level: each.text for each in look(people).findings if 'copies' not in each.text}
    broken = found['error']
    assert broken.startswith('2 of 40 pictures of') and f'{paths[0]} (image file is truncated' in broken
    assert f'1 of 40 pictures of {people}/annotations/train.json have an EXIF orientation' in found['warning']
    (copies,) = [each.text for each in look(people).findings if 'copies' in each.text]
    assert copies.startswith('1 of 40 pictures') and f'{paths[2]} and {paths[3]}' in copies


def test_leaks_between_splits(people: Path) -> None:
    """The same file is an error, one that was scaled and compressed anew a warning."""
    train, val = (sorted((people / split).iterdir()) for split in ('train', 'val'))
    picture = cv2.imread(str(train[0]))
    cv2.imwrite(str(val[0]), cv2.resize(cv2.resize(picture, (320, 240)), (160, 120)), [cv2.IMWRITE_JPEG_QUALITY, 60])
    (alike,) = look(people).between
    assert (
        alike.level == 'warning'
        and f'1 of 8 pictures of the val data look like one of the train data ({val[0]}' in alike.text
    )
    shutil.copy(train[1], val[1])
    copied, _ = look(people).between
    assert copied.level == 'error' and f'({val[1]} and {train[1]})' in copied.text


def test_the_training_data_measured(people: Path) -> None:
    cfg = config(people)
    cfg.val_dataloader.dataset.update(ann_file='annotations/train.json', data_prefix=dict(img='train/'))
    cfg.val_evaluator.ann_file = str(people / 'annotations/train.json')
    (finding,) = inspect_data(cfg, ('train', 'val')).findings
    assert finding.level == 'warning' and 'the val data are the training data' in finding.text


def test_mpii(drawn: Callable[[str], Path], tmp_path: Path) -> None:
    root = tmp_path / 'set'
    shutil.copytree(drawn('mpii'), root)
    file = root / 'annotations/mpii_train.json'
    entries = json.loads(file.read_text())
    for entry in entries:
        for key in ('joints', 'joints_vis'):
            entry[key] = entry[key][1:] + entry[key][:1]
    file.write_text(json.dumps(entries))
    (finding,) = look(root, 'mpii').findings
    assert 'joints seem to be in another order' in finding.text and 'read one place earlier' in finding.text
    entries[0]['joints'].pop()
    entries[5].pop('scale')
    file.write_text(json.dumps(entries))
    said = [each.text for each in look(root, 'mpii').findings if each.level == 'error']
    assert 'person 0 (counted from 0) has joints that are not 16 x 2' in said[0] and 'person 5' in said[1]


def test_class_folders(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for split in ('train', 'val'):
        for name in ('cat', 'dog'):
            (tmp_path / split / name).mkdir(parents=True)
            for number in range(3):
                cv2.imwrite(str(tmp_path / split / name / f'{number}.png'), rng.integers(0, 255, (40, 40, 3), np.uint8))
    loaders = {
        f'{split}_dataloader': dict(
            dataset=dict(type='ClassFolderDataset', data_root=str(tmp_path), data_prefix=dict(img=split), pipeline=[])
        )
        for split in ('train', 'val')
    }
    inspection = inspect_data(Config(loaders), ('train', 'val'))
    assert inspection.findings == [] and inspection.sets[0].numbers['per_class'] == [3] * 5
    shutil.copy(tmp_path / 'train/cat/0.png', tmp_path / 'train/dog/9.png')
    (tmp_path / 'train/dog/notes.txt').write_text('')
    (tmp_path / 'val/dog/0.png').write_bytes(b'')
    found = inspect_data(Config(loaders), ('train', 'val')).findings
    said = {each.text: each.level for each in found}
    expected = [('error', '1 pictures of .* are in two classes: .*cat/0.png and .*dog/9.png'),
                ('warning', '1 files in .* are no images by their endings: .*notes.txt'),
                ('error', '1 of 6 pictures of .* cannot be read whole: .*val/dog/0.png')]  # fmt: skip
    for level, text in expected:
        assert [own for each, own in said.items() if re.search(text, each)] == [level], said
    assert len(said) == 3


def test_a_missing_file_is_a_finding(tmp_path: Path) -> None:
    inspection = look(tmp_path)
    assert inspection.errors >= 2 and all('is missing' in each.text for each in inspection.findings)


def test_rules_of_distance_by_hand() -> None:
    names = ['left_shoulder', 'left_elbow', 'left_wrist']
    joints = np.array([[[0, 0], [0, 3], [0, 5]], [[0, 0], [4, 0], [0, 3]]], float)
    shares = broken_shares(names, joints, np.ones((2, 3), bool))
    # The wrist of the second person is closer to the shoulder than the elbow is; 5 from the elbow, 3 from the shoulder.
    assert shares == {(0, 1, 2): (0.5, 2), (2, 1, 0): (0.5, 2)}
    many = Layout(names, np.repeat(joints[:1, [0, 2, 1]], 30, axis=0), np.full((30, 3), 2), range(30))
    assert 'left_elbow is farther from left_shoulder than left_wrist is' in remarks_on_layout('a.json', many)[0].text
    few = Layout(names, many.joints[:19], many.flags[:19], range(19))
    assert remarks_on_layout('a.json', few) == []
    unknown = Layout(['top', 'mid', 'low'], many.joints, many.flags, range(30))
    assert remarks_on_layout('a.json', unknown) == []


def test_hashes_by_hand() -> None:
    ramp = np.tile(np.arange(16, dtype=np.uint8) * 10, (16, 1))
    assert difference_hashes(np.stack([ramp, ramp[:, ::-1]])).tolist() == [2**64 - 1, 0]
    assert find_alike(np.stack([ramp, ramp[:, ::-1]]), ramp[None] + 3) == [(0, 0)]
    assert find_alike(ramp[None], ramp[None] + 9) == []  # as if lit otherwise: too far from it


def test_faults_are_grouped_by_their_kind() -> None:
    def check(entries: list[int]) -> None:
        from sdpose.errors import DataError

        for entry in entries:
            if entry % 2:
                raise DataError(f'f: entry {entry} is odd')

    kept, (finding,) = sift([1, 2, 3, 4, 5], check, 'entries', 'f')
    assert kept == [2, 4] and finding.text == 'f: 3 of 5 entries are at fault, such as entry 1 is odd'


@pytest.mark.parametrize('kind', ['CocoWholeBodyDataset', 'ArrayCocoWholeBodyDataset'])
def test_another_form_by_its_class(people: Path, kind: str) -> None:
    """What only its class can read is looked at as the class reads it, and missing pictures are told."""
    content = json.loads((people / 'annotations/train.json').read_text())
    for ann in content['annotations']:
        for part, joints in (('foot', 6), ('face', 68), ('lefthand', 21), ('righthand', 21)):
            ann.setdefault('segmentation', [])
            ann.update({f'{part}_kpts': [0.0] * 3 * joints, f'{part}_valid': False})
    (people / 'annotations/train.json').write_text(json.dumps(content))
    dataset = dict(
        type=kind, data_root=str(people), ann_file='annotations/train.json', pipeline=[],
        data_prefix=dict(img='train/'),
    )  # fmt: skip
    cfg = Config(dict(train_dataloader=dict(dataset=dataset)))
    (report,) = inspect_data(cfg, ('train',)).sets
    assert report.findings == [] and report.form == 'other' and len(report.numbers['joints']) == 133
    (people / 'train' / content['images'][0]['file_name']).unlink()
    (finding,) = inspect_data(cfg, ('train',)).findings
    assert finding.level == 'error' and '1 images of' in finding.text and 'are missing' in finding.text


def test_blank_pictures_are_compared_in_little_memory() -> None:
    blank = np.zeros((3000, 16, 16), np.uint8)
    assert len(find_alike(blank, blank)) == 3000


def test_animals_are_not_told_to_turn_their_backs() -> None:
    """Their hips are behind the head, not below it."""
    names = ['nose', 'left_eye', 'right_eye', 'left_shoulder', 'right_shoulder', 'left_hip', 'right_hip']
    joints = np.array([[0, 0], [-1, 1], [-1, -1], [5, 5], [5, 6], [30, 5], [30, 6]], float)
    animals = Layout(names, np.repeat(joints[None], 50, axis=0), np.full((50, 7), 2), range(50))
    assert remarks_on_layout('a.json', animals) == []
    wrists = Layout(
        [*names, 'left_wrist'], np.pad(animals.joints, ((0, 0), (0, 1), (0, 0))), np.full((50, 8), 2), range(50)
    )
    assert 'left and right exchanged' in remarks_on_layout('a.json', wrists)[0].text
