"""A data set of one's own: what is read, what is guessed, what is refused, and that nothing half-written stays."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mmengine.config import Config
from stick_people import write_split

from sdpose.apis.own_data import Asked, new_dataset
from sdpose.config.load import load_config
from sdpose.errors import ConfigError, DataError, UserError
from sdpose.preflight.metainfo import load_metainfo

_TINY = 'sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48'
_NAMES = ['nose', 'l_shoulder', 'r_shoulder', 'l_elbow', 'r_elbow', 'l_wrist', 'r_wrist', 'l_hip', 'r_hip']
_NINE = (0, 5, 6, 7, 8, 9, 10, 11, 12)  # COCO's numbers of them
Content = dict[str, Any]


@pytest.fixture(scope='module')
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``photos`` and ``photos.json``: 12 pictures of two people with nine joints."""
    folder = tmp_path_factory.mktemp('own')
    content = write_split(folder / 'coco', 'train', 1, 12)
    (folder / 'coco/train2017').rename(folder / 'photos')
    for ann in content['annotations']:
        joints = np.reshape(ann['keypoints'], (17, 3))[list(_NINE)]
        ann.update(keypoints=joints.ravel().tolist(), num_keypoints=9)
    content['categories'] = [dict(id=1, name='climber', keypoints=_NAMES, skeleton=[[2, 3], [2, 4], [3, 5]])]
    (folder / 'photos.json').write_text(json.dumps(content))
    return folder


@pytest.fixture
def here(drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it as the current folder."""
    shutil.copytree(drawn / 'photos', tmp_path / 'photos')
    shutil.copy(drawn / 'photos.json', tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def change(edit: Callable[[Content], None], file: str = 'photos.json', to: str | None = None) -> Path:
    """Edit an annotation file."""
    content = json.loads(Path(file).read_text())
    edit(content)
    Path(to or file).write_text(json.dumps(content))
    return Path(to or file)


def make(**given: Any) -> Any:
    return new_dataset(Asked(**{'annotations': Path('photos.json'), 'config': _TINY, 'name': 'own', **given}))


def read(part: str) -> Content:
    return json.loads(Path(f'own/annotations/{part}.json').read_text())


def test_what_is_written(here: Path) -> None:
    made = make()
    assert made.config == Path('own/sdpose-tiny_own.py') and made.folder == Path('own')
    assert sorted(path.name for path in Path('own').rglob('*')) == [
        *('annotations', 'data.py', 'metainfo.py', 'sdpose-tiny_own.py', 'train.json', 'val.json')
    ]
    train, val = read('train'), read('val')
    assert (len(train['images']), len(val['images'])) == (11, 1) and len(train['annotations']) == 22
    assert not {image['file_name'] for image in train['images']} & {image['file_name'] for image in val['images']}
    cfg = load_config('own/sdpose-tiny_own.py')
    for split in ('train', 'val', 'test'):
        dataset = cfg[f'{split}_dataloader'].dataset
        assert (dataset.data_root, dataset.data_prefix.img) == ('own/', '../photos/')
        metainfo = load_metainfo(dataset)
        assert [metainfo['keypoint_id2name'][number] for number in range(9)] == _NAMES
        assert metainfo['flip_indices'] == [0, 2, 1, 4, 3, 6, 5, 8, 7]
        assert metainfo['sigmas'].tolist() == pytest.approx(
            [0.026, *[0.079] * 2, *[0.072] * 2, *[0.062] * 2, *[0.107] * 2]
        )
        assert metainfo['skeleton_links'] == [(1, 2), (1, 3), (2, 4)]
        assert metainfo['lower_body_ids'] == [7, 8] and len(metainfo['upper_body_ids']) == 7
    assert cfg.model.neck.num_queries == cfg.num_keypoints == 9
    assert (
        cfg.val_evaluator.ann_file == 'own/annotations/val.json' and cfg.default_hooks.checkpoint.save_best == 'coco/AP'
    )
    # 22 people: the largest power of two with ten steps an epoch is 2, but batch norm gets 4; 2e-3 * sqrt(4 / 32).
    assert cfg.train_dataloader.batch_size == 4 and cfg.optim_wrapper.optimizer.lr == 0.00071
    assert any('mirrored pairs: l_shoulder - r_shoulder' in line for line in made.guessed)


def test_what_tools_leave_out_is_filled_in(here: Path) -> None:
    def edit(content: Content) -> None:
        first, second = content['annotations'][:2]
        for key in ('bbox', 'area', 'num_keypoints', 'iscrowd'):
            del first[key]
        first['keypoints'] = [10.0, 20, 2, *[0, 0, 0] * 7, 50, 100, 1]
        second.update(keypoints=np.reshape(second['keypoints'], (9, 3)).tolist(), num_keypoints=0)
        del content['images'][0]['width']
        content['images'][1]['height'] = 0
        content['annotations'][2]['bbox'] = None
        content['categories'][0]['skeleton'] = [[0, 1], [1, 2], [8, 9]]

    change(edit)
    made = make()
    people = {ann['id']: ann for ann in [*read('train')['annotations'], *read('val')['annotations']]}
    first, second = (people[ann['id']] for ann in json.loads(Path('photos.json').read_text())['annotations'][:2])
    # 40 x 80 around the joints, a tenth of it on each side
    assert first['bbox'] == [6, 12, 48, 96] and first['area'] == pytest.approx(0.53 * 48 * 96)
    assert (first['num_keypoints'], first['iscrowd'], second['num_keypoints']) == (2, 0, 9)
    assert len(second['keypoints']) == 27
    images = [*read('train')['images'], *read('val')['images']]
    assert {(image['width'], image['height']) for image in images} == {(160, 120)}
    assert load_metainfo(load_config(made.config).train_dataloader.dataset)['skeleton_links'] == [(0, 1), (1, 2)]
    said = '\n'.join(made.guessed)
    for line in ('size of 2 picture(s)', 'boxes around the joints', 'areas for 1', 'counts joints from 0', '1 limb(s)'):
        assert line in said


def test_other_subjects_and_several_categories(here: Path) -> None:
    """One of several kinds with joints, or several with the same; things without joints are passed over."""

    def edit(content: Content) -> None:
        names = ['tip', 'blade', 'handle']
        content['categories'] = [
            dict(id=3, name='Knife', keypoints=names),
            dict(id=5, name='fork', keypoints=names),
            dict(id=7, name='plate', keypoints=['a', 'b']),
            dict(id=9, name='table'),
        ]
        for place, ann in enumerate(content['annotations']):
            ann['category_id'] = (3, 3, 5, 7)[place % 4]
            count = 2 if place % 4 == 3 else 3
            ann.update(keypoints=ann['keypoints'][: 3 * count], num_keypoints=count)
        content['annotations'].append(dict(id=1, image_id=content['images'][0]['id'], category_id=9, bbox=[0, 0, 9, 9]))

    change(edit)
    with pytest.raises(
        UserError, match=r'key points of 3 categories: Knife \(12\), fork \(6\), plate \(6\); say which by'
    ):
        make()
    with pytest.raises(UserError, match='--category spoon: photos.json has no key points of it; there are Knife'):
        make(category=['spoon'])
    with pytest.raises(UserError, match="'Knife' and 'plate' have other joints"):
        make(category=['knife', 'plate'])
    made = make(category=['knife', '5'])
    assert sum(len(read(part)['annotations']) for part in ('train', 'val')) == 18
    dataset = load_config(made.config).train_dataloader.dataset
    metainfo = load_metainfo(dataset)
    assert metainfo['flip_indices'] == [0, 1, 2] and metainfo['sigmas'].tolist() == pytest.approx([0.067] * 3)
    assert metainfo['upper_body_ids'] == metainfo['lower_body_ids'] == []
    assert '0.067,  # tip, guessed' in Path('own/metainfo.py').read_text()
    assert any(line.startswith('mirrored pairs: none') for line in made.guessed)


def test_no_picture_is_in_both_parts(here: Path) -> None:
    """Copies of a picture, and two entries of one file, stay together; other files of validation are compared."""
    content = json.loads(Path('photos.json').read_text())
    names = [image['file_name'] for image in content['images']]
    for number in range(1, 8):
        shutil.copy(f'photos/{names[0]}', f'photos/{names[number]}')
    content['images'][9]['file_name'] = names[8]
    Path('photos.json').write_text(json.dumps(content))
    make(val_share=0.5)
    parts = [{image['file_name'] for image in read(part)['images']} for part in ('train', 'val')]
    assert all(len(part & set(names[:8])) in (0, 8) for part in parts) and not parts[0] & parts[1]
    assert sorted([*parts[0], *parts[1]]) == sorted({*names} - {names[9]})

    def keep(places: slice) -> Callable[[Content], None]:
        def edit(content: Content) -> None:
            content['images'] = content['images'][places]
            ids = {image['id'] for image in content['images']}
            content['annotations'] = [ann for ann in content['annotations'] if ann['image_id'] in ids]

        return edit

    change(keep(slice(8, None)), to='b.json')
    with pytest.raises(DataError, match=r'3 picture\(s\) of b.json are in photos.json, too'):
        make(val=Path('b.json'), force=True)
    change(keep(slice(0, 8)), to='a.json')
    made = make(annotations=Path('a.json'), val=Path('b.json'), force=True)
    assert (len(read('train')['images']), len(read('val')['images'])) == (8, 4)
    assert not any('drawn at random' in line for line in made.guessed)


def test_the_folder_of_the_pictures(here: Path) -> None:
    """Beside the file, below it, where --images says; and what is missing is named."""
    Path('export/annotations').mkdir(parents=True)
    shutil.move('photos', 'export/images')
    shutil.move('photos.json', 'export/annotations/person_keypoints_default.json')
    file = Path('export/annotations/person_keypoints_default.json')
    make(annotations=file)
    assert load_config('own/sdpose-tiny_own.py').train_dataloader.dataset.data_prefix.img == '../export/images/'
    shutil.move('export/images', 'elsewhere')
    with pytest.raises(UserError, match=r'the first: 0+100.jpg\) lie neither beside it nor .* --images FOLDER'):
        make(annotations=file, force=True)
    make(annotations=file, images='elsewhere', force=True)
    Path('elsewhere/000000000103.jpg').unlink()
    with pytest.raises(DataError, match=r'1 images of .* are missing: elsewhere/000000000103.jpg'):
        make(annotations=file, images='elsewhere', force=True)
    assert Path('own/data.py').is_file()  # what was made before stays


def test_a_config_starts_in_the_folder_above(here: Path) -> None:
    """Below the current folder everything is named from it; in another place, in full."""
    Path('work').mkdir()
    make(out=Path('work/climbers'))
    cfg = load_config('work/climbers/sdpose-tiny_own.py')
    assert (cfg.data_root, cfg.train_dataloader.dataset.data_prefix.img) == ('work/climbers/', '../../photos/')
    other = here.parent / f'{here.name}-other'
    make(out=other)
    cfg = load_config(other / 'sdpose-tiny_own.py')
    assert (cfg.data_root, cfg.train_dataloader.dataset.data_prefix.img) == (f'{other}/', f'{here}/photos/')
    shutil.rmtree(other)


def test_nothing_of_a_user_is_replaced(here: Path) -> None:
    make()
    Path('own/metainfo.py').write_text(Path('own/metainfo.py').read_text().replace('0.026', '0.03'))
    with pytest.raises(UserError, match='own is there: --force makes it anew'):
        make()
    assert '0.03,' in Path('own/metainfo.py').read_text()
    make(force=True)
    assert '0.026,' in Path('own/metainfo.py').read_text()
    Path('own/notes.txt').write_text('mine')
    with pytest.raises(UserError, match=r'the folder own holds other files \(notes.txt\): name another one'):
        make(out=Path('own'), force=True)
    assert make().folder == Path('own-data') and make(name=None).folder == Path('photos-data')  # of the pictures
    with pytest.raises(UserError, match='photos.json is a file, and a folder of that name'):
        make(out=Path('photos.json'))
    assert not [*here.glob('.own*'), *here.glob('.photos*')]


def test_a_failing_check_leaves_nothing(here: Path) -> None:
    """What only the checks of a training see, with the name that the file would have had."""

    def edit(content: Content) -> None:
        for ann in content['annotations']:
            ann['bbox'] = [500, 500, 10, 10]

    change(edit)
    with pytest.raises(DataError, match='no usable person in own/annotations/train.json'):
        make()
    assert sorted(path.name for path in here.iterdir()) == ['photos', 'photos.json']


def _no_names(content: Content) -> None:
    del content['categories'][0]['keypoints']


def _twice(content: Content) -> None:
    content['categories'][0]['keypoints'] = ['Nose', 'nose', *_NAMES[2:]]


def _no_joints(content: Content) -> None:
    content['annotations'] = [{**ann, 'keypoints': []} for ann in content['annotations']]


def _unlabelled(content: Content) -> None:
    for ann in content['annotations']:
        ann['keypoints'][2::3] = [0] * 9


def _one(content: Content) -> None:
    content['annotations'] = content['annotations'][:2]


def _short(content: Content) -> None:
    content['annotations'][3]['keypoints'].pop()


def _text(content: Content) -> None:
    content['annotations'][3]['category_id'] = '1'


def _words(content: Content) -> None:
    content['annotations'][3]['keypoints'] = 'nose'


def _stray(content: Content) -> None:
    content['annotations'][3]['image_id'] = 7


@pytest.mark.parametrize(
    ('edit', 'given', 'said'),
    [
        (
            _no_names,
            {},
            "its category 'climber' does not name its joints: give them in the order .* --joints nose,left_eye",
        ),
        (
            _no_names,
            dict(joints=['a', 'b']),
            '--joints gives 2 names, but most annotations have 27 numbers .* 9 joints',
        ),
        (_twice, {}, "photos.json: category 'climber' names two joints 'nose'"),
        (_no_names, dict(joints=['a', *_NAMES[1:-1], 'A']), "--joints names two joints 'a'"),
        (_no_joints, {}, 'photos.json annotates no key points'),
        (_unlabelled, {}, "photos.json: no joint of 'climber' is labelled"),
        (_one, {}, 'one picture with people is too few'),
        (_short, {}, r'annotation id \d+ has 26 key point numbers, expected 27'),
        (_text, {}, r"annotation id \d+ .*: category_id must be an integer, is '1'"),
        (_words, {}, r"annotation id \d+ .*: keypoints must be a list of numbers, is 'nose'"),
        (_stray, {}, r'annotation id \d+ refers to image id 7, which the file does not list'),
        (
            None,
            dict(annotations=Path('gone.json')),
            r'the annotation file gone.json is missing .*, or correct its name',
        ),
        (None, dict(val_share=1.0), '--val-share 1.0: give a share between 0 and 1'),
        (None, dict(name='my data'), "--name 'my data': it names files"),
        (None, dict(config='sdpose-tinny'), "No config 'sdpose-tinny'"),
        (None, dict(config='sdpose-deit-mini_1xb64-30e_shapes-40x40'), r'\(ClassFolderDataset\) are not read as COCO'),
        (
            None,
            dict(config='sdpose-tiny_stemnet_1xb32-30e_synthetic-mpii-64x64'),
            r'\(MpiiDataset\) are not read as COCO',
        ),
        (
            None,
            dict(config='sdpose-s-v1_stemnet_8xb64-300e_custom-256x192'),
            'is for joints of its own: name the config',
        ),
    ],
)
def test_one_line_for_a_mistake(here: Path, edit: Callable | None, given: dict[str, Any], said: str) -> None:
    if edit is not None:
        change(edit)
    with pytest.raises((UserError, ConfigError), match=said) as caught:
        make(**given)
    assert '\n' not in str(caught.value)
    assert sorted(path.name for path in here.iterdir()) == ['photos', 'photos.json']


def test_names_from_the_command_line_make_the_metainfo(here: Path) -> None:
    change(_no_names)
    make(joints=_NAMES)
    info = Config.fromfile('own/metainfo.py').dataset_info
    assert [joint['name'] for joint in info.keypoint_info.values()] == _NAMES
