"""A data set with joints of its own: the example configs, trained and tested by the tools on nine joints."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from sdpose.apis import testing, training
from sdpose.errors import ConfigError, DataError

pytestmark = pytest.mark.long  # each starts tools, which takes seconds

# COCO's numbers of the nine joints of configs/_base_/datasets/custom_metainfo.py.
_NINE = (0, 5, 6, 7, 8, 9, 10, 11, 12)
_CONFIG = """
_base_ = '{root}/configs/sdpose/custom/sdpose-s-v1_stemnet_8xb64-300e_custom-256x192.py'
small = dict(type='MSRAHeatmap', input_size=(48, 64), heatmap_size=(12, 16), sigma=1, unbiased=True, blur_kernel_size=3)
model = dict(
    backbone=dict(stem_channels=16, num_blocks=1, init_cfg=dict(type='Kaiming', layer='Conv2d')),
    neck=dict(in_channels=64, dim=32, depth=1, num_heads=4, feature_size=(12, 16), patch_size=(2, 2)),
    head=dict(in_channels=32, decoder=small))
load = dict(type='LoadCheckedImage')
box = dict(type='GetBBoxCenterScale')
crop = dict(type='TopdownAffine', input_size=(48, 64))
pack = dict(type='PackPoseInputs')
train_dataloader = dict(batch_size=4, num_workers=0, dataset=dict(pipeline=[
    load, box, dict(type='RandomFlip'), dict(type='RandomHalfBody', prob=0.1),
    dict(type='ClippedNormalBBoxTransform'), crop, dict(type='GenerateTarget', encoder=small), pack]))
val_dataloader = dict(num_workers=0, dataset=dict(pipeline=[load, box, crop, pack]))
test_dataloader = val_dataloader
train_cfg = dict(max_epochs=15, val_interval=15)
optim_wrapper = dict(optimizer=dict(lr=2e-3))
param_scheduler = [
    dict(type='LinearLR', begin=0, end=5, start_factor=0.1, by_epoch=False),
    dict(type='MultiStepLR', begin=0, end=15, milestones=[12], gamma=0.1, by_epoch=True)]
default_hooks = dict(checkpoint=dict(interval=15), logger=dict(interval=1))
randomness = dict(seed=3)
"""
_TRAIN = 'data/custom/annotations/train.json'


def _keep_nine_joints(content: dict) -> dict:
    """COCO annotations with the key points of ``_NINE`` only."""
    for ann in content['annotations']:
        joints = np.reshape(ann['keypoints'], (17, 3))[list(_NINE)]
        ann.update(keypoints=joints.ravel().tolist(), num_keypoints=int((joints[:, 2] > 0).sum()))
    return content


@pytest.fixture(scope='module')
def nine(
    stick_people: Path, repo_root: Path, tmp_path_factory: pytest.TempPathFactory, run_tool: Callable
) -> SimpleNamespace:
    """``data/custom`` with nine joints and a finished training on it: ``folder``, ``run``, ``log``."""
    folder = tmp_path_factory.mktemp('nine')
    (folder / 'data/custom/annotations').mkdir(parents=True)
    for split in ('train', 'val'):
        content = json.loads((stick_people / f'coco/annotations/person_keypoints_{split}2017.json').read_text())
        (folder / f'data/custom/annotations/{split}.json').write_text(json.dumps(_keep_nine_joints(content)))
        (folder / f'data/custom/{split}').symlink_to(stick_people / f'coco/{split}2017')
    (folder / 'nine.py').write_text(_CONFIG.format(root=repo_root))
    done = run_tool('tools/train.py', 'nine.py', '--work-dir', 'run', cwd=folder, check=True)
    return SimpleNamespace(folder=folder, run=folder / 'run', log=done.stdout + done.stderr)


@pytest.fixture
def here(nine: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one's own with the annotations, to be damaged at will, the images and the config, as the current."""
    (tmp_path / 'data/custom/annotations').mkdir(parents=True)
    for split in ('train', 'val'):
        name = f'data/custom/annotations/{split}.json'
        (tmp_path / name).write_bytes((nine.folder / name).read_bytes())
        (tmp_path / f'data/custom/{split}').symlink_to(nine.folder / f'data/custom/{split}')
    (tmp_path / 'nine.py').write_bytes((nine.folder / 'nine.py').read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_nine_joints_train_and_score_with_their_own_sigmas(
    nine: SimpleNamespace, tmp_path: Path, repo_root: Path, run_tool: Callable
) -> None:
    losses = [float(value) for value in re.findall(r'Epoch\(train\).*? loss: ([\d.]+)', nine.log)]
    assert sum(losses[-9:]) < 0.6 * sum(losses[:9])
    weights = torch.load(nine.run / 'epoch_15.pth', weights_only=False)['state_dict']
    assert weights['neck.tokenizer.query'].shape[-2:] == (9, 32)

    done = run_tool(
        'tools/test.py',
        'nine.py',
        'run/epoch_15.pth',
        '--work-dir',
        tmp_path,
        '--out',
        tmp_path / 'out.json',
        '--show-dir',
        'pictures',
        cwd=nine.folder,
        check=True,
    )
    record = json.loads(next(tmp_path.glob('*/metrics.json')).read_text())
    assert f'coco/AP: {record["metrics"]["coco/AP"]:.6f}' in done.stdout + done.stderr
    truth = COCO(str(nine.folder / 'data/custom/annotations/val.json'))
    found = truth.loadRes(str(tmp_path / 'out.json'))
    assert {len(ann['keypoints']) for ann in found.anns.values()} == {27}
    evaluation = COCOeval(truth, found, 'keypoints')
    metainfo = Config.fromfile(repo_root / 'configs/_base_/datasets/custom_metainfo.py').dataset_info
    evaluation.params.kpt_oks_sigmas = np.array(metainfo.sigmas)
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    assert record['metrics']['coco/AP'] == pytest.approx(evaluation.stats[0], abs=1e-6)
    assert record['metrics']['coco/AP'] > 0.05
    assert len(list(tmp_path.glob('*/pictures/*.jpg'))) >= 4


def test_a_missing_metainfo_file(here: Path, repo_root: Path) -> None:
    bases = repo_root / 'configs/_base_/datasets'
    content = (bases / 'custom_256x192.py').read_text()
    (here / 'own.py').write_text(content.replace("'coco_256x192.py'", f"'{bases}/coco_256x192.py'"))
    with pytest.raises(ConfigError, match=r'config own.py cannot be read: .*custom_metainfo.py'):
        training.train('own.py')
    (here / 'from_file.py').write_text(
        "_base_ = 'nine.py'\ntrain_dataloader = dict(dataset=dict(metainfo=dict(_delete_=True, from_file='gone.py')))\n"
    )
    with pytest.raises(ConfigError, match=r'the metainfo file gone.py is missing \(looked for in '):
        training.train('from_file.py')


def test_annotations_with_another_joint_count(here: Path) -> None:
    content = json.loads((here / _TRAIN).read_text())
    content['annotations'][3]['keypoints'] += [1, 1, 2]
    (here / _TRAIN).write_text(json.dumps(content))
    with pytest.raises(DataError, match=f'{_TRAIN}: annotation id 1011 has 30 key point numbers, expected 27'):
        training.train('nine.py')


@pytest.mark.parametrize(
    'change, message',
    [
        (
            'sigmas=[0.1] * 8',
            "metainfo 'custom': sigmas has 8 numbers for 9 joints: give one per joint, in their order",
        ),
        (
            "keypoint_info={3: dict(swap='right_elbo')}",
            r"joint 'left_elbow': swap 'right_elbo' is no joint of keypoint_info; did you mean 'right_elbow'\?",
        ),
        ('sigmas=[]', r'the metainfo of the val data \(custom\) has no sigmas, which CocoMetric needs'),
    ],
)
def test_contradictions_of_the_metainfo(here: Path, change: str, message: str) -> None:
    (here / 'wrong.py').write_text(
        f"_base_ = 'nine.py'\nwrong = dict(metainfo=dict({change}))\n"
        'train_dataloader = dict(dataset=wrong)\nval_dataloader = dict(dataset=wrong)\n'
    )
    with pytest.raises(ConfigError, match=message):
        training.train('wrong.py')


def test_a_model_with_another_joint_count(here: Path, nine: SimpleNamespace) -> None:
    with pytest.raises(ConfigError, match=r'test data has 9 key points per person, but model.neck.num_queries is 17'):
        testing.test('nine.py', str(nine.run / 'epoch_15.pth'), cfg_options={'model.neck.num_queries': 17})


def test_a_training_takes_over_joints_by_name(
    nine: SimpleNamespace, tmp_path: Path, run_tool: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From nine joints to three of them and one that is new, through the command line."""
    checkpoint = torch.load(nine.run / 'epoch_15.pth', weights_only=False)
    names = [checkpoint['meta']['dataset_meta']['keypoint_id2name'][number] for number in range(9)]
    (tmp_path / 'data').symlink_to(nine.folder / 'data')
    checkpoint['meta']['dataset_meta']['keypoint_id2name'] = dict(enumerate(['hand', *names[:0:-1]]))
    torch.save(checkpoint, tmp_path / 'turned.pth')
    (tmp_path / 'nine.py').write_bytes((nine.folder / 'nine.py').read_bytes())
    options = ['load_from=turned.pth', 'optim_wrapper.optimizer.lr=0', 'train_cfg.max_epochs=1', 'param_scheduler=None']
    done = run_tool(
        'tools/train.py',
        'nine.py',
        '--work-dir',
        'run',
        '--no-validate',
        '--cfg-options',
        *options,
        cwd=tmp_path,
        check=True,
    )
    said = f'turned.pth takes over 8 joints by name: {", ".join(names[1:])}; new ones start from the mean of these: '
    assert f'{said}{names[0]}; left out: hand' in done.stdout + done.stderr
    query = torch.load(next(tmp_path.glob('run/*.pth')), weights_only=False)['state_dict']['neck.tokenizer.query']
    learned = checkpoint['state_dict']['neck.tokenizer.query']  # (1, 9, D), in the order that was turned around
    assert torch.allclose(query[:, 1:], learned.flip(1)[:, :-1])
    assert torch.allclose(query[:, 0], learned[:, 1:].mean(dim=1))
