"""Data sets of MMPose beside COCO's, trained and tested in small: whole bodies, animals, mixtures, joints without "
"limbs."""

import json
import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from data_set_forms import boxes_beside, coco, wholebody
from mmengine.config import Config

from sdpose.apis import testing, training
from sdpose.converters import publish

pytestmark = pytest.mark.long  # each starts tools, which takes seconds

_CONFIG = """
_base_ = '{leaf}'
small = dict(type='MSRAHeatmap', input_size=(48, 64), heatmap_size=(12, 16), sigma=1, unbiased=True, blur_kernel_size=3)
model = dict(
    backbone=dict(stem_channels=16, num_blocks=1, init_cfg=dict(type='Kaiming', layer='Conv2d')),
    neck=dict(in_channels=64, dim=32, depth=1, num_heads=4, feature_size=(12, 16), patch_size=(2, 2)),
    head=dict(in_channels=32, decoder=small))
load = dict(type='LoadCheckedImage')
box = dict(type='GetBBoxCenterScale')
crop = dict(type='TopdownAffine', input_size=(48, 64))
pack = dict(type='PackPoseInputs')
train_pipeline = [
    load, box, dict(type='RandomFlip'), dict(type='RandomHalfBody', prob=0.1),
    dict(type='ClippedNormalBBoxTransform'), crop, dict(type='GenerateTarget', encoder=small), pack]
val_pipeline = [load, box, crop, pack]
workers = dict(num_workers=0, persistent_workers=False)
train_dataloader = dict(batch_size=2, dataset=dict(pipeline=train_pipeline), **workers)
val_dataloader = dict(dataset=dict(pipeline=val_pipeline), **workers)
test_dataloader = dict(dataset=dict(pipeline=val_pipeline), **workers)
train_cfg = dict(max_epochs=1, val_interval=1)
default_hooks = dict(checkpoint=dict(interval=1), logger=dict(interval=1))
"""


def _run(folder: Path, leaf: Path, more: str = '') -> dict[str, float]:
    """Train an epoch on a config, test it, and resume for another; returns the test's metrics."""
    (folder / 'c.py').write_text(_CONFIG.format(leaf=leaf) + more)
    training.train('c.py', work_dir='run')
    metrics = testing.test('c.py', 'run/epoch_1.pth', work_dir='test')
    training.train('c.py', work_dir='run', resume='auto', cfg_options={'train_cfg.max_epochs': 2})
    assert (folder / 'run/epoch_2.pth').is_file()
    return metrics


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_coco_wholebody(here: Path, repo_root: Path) -> None:
    root = here / 'data/coco'
    (root / 'annotations').mkdir(parents=True)
    wholebody(root, 133)
    for split in ('train', 'val'):
        (root / f'{split}2017').symlink_to(root / 'images')
        (root / f'annotations/coco_wholebody_{split}_v1.0.json').symlink_to(root / 'ann.json')
    boxes = [dict(image_id=number, category_id=1, bbox=[30, 20, 50, 80], score=0.9) for number in (1, 2, 3)]
    (root / 'person_detection_results').mkdir()
    (root / 'person_detection_results/COCO_val2017_detections_AP_H_56_person.json').write_text(json.dumps(boxes))
    leaf = repo_root / 'configs/sdpose/wholebody/sdpose-s-v1_stemnet_8xb64-300e_coco-wholebody-256x192.py'
    metrics = _run(here, leaf)
    assert {'coco-wholebody/AP', 'coco-wholebody/AR'} <= metrics.keys()
    assert list((here / 'run').glob('best_coco-wholebody_AP_epoch_*.pth'))


def test_ap10k(here: Path, repo_root: Path) -> None:
    root = here / 'data/ap10k'
    (root / 'annotations').mkdir(parents=True)
    coco(root, 17)
    content = json.loads((root / 'ann.json').read_text())
    content['categories'] = [dict(id=number, name=f'kind {number}') for number in range(1, 55)]
    for ann in content['annotations']:
        ann['category_id'] = 7 * ann['id']  # the animal's kind, by which the evaluation matches
    (root / 'data').symlink_to(root / 'images')
    for split in ('train', 'val', 'test'):
        (root / f'annotations/ap10k-{split}-split1.json').write_text(json.dumps(content))
    metrics = _run(here, repo_root / 'configs/sdpose/ap10k/sdpose-s-v1_stemnet_8xb64-300e_ap10k-256x256.py')
    assert 'ap10k/AP' in metrics and list((here / 'run').glob('best_ap10k_AP_epoch_*.pth'))


_CUSTOM = 'configs/sdpose/custom/sdpose-s-v1_stemnet_8xb64-300e_custom-256x192.py'
_MORE = """
dataset_info = dict(
    _delete_=True, dataset_name='stick', keypoint_info={joints!r}, skeleton_info={{}}, joint_weights=[1.] * 3,
    sigmas={sigmas})
data = dict(type={kind!r}, data_root='{root}/', ann_file='ann.json', data_prefix=dict(img='images/'),
            metainfo=dataset_info)
train_dataloader['dataset'].update(data)
val_dataloader['dataset'].update(data)
test_dataloader['dataset'].update(data)
val_evaluator = {evaluator!r}
test_evaluator = val_evaluator
model['neck']['num_queries'] = 3
default_hooks['checkpoint']['save_best'] = {best!r}
"""


def _three(half: Any) -> dict[int, dict[str, Any]]:
    return {number: dict(name=name, type=half, swap='') for number, name in enumerate(('top', 'mid', 'low'))}


@pytest.mark.parametrize(
    'half, sigmas, evaluator, best',
    [
        ('', '[0.05] * 3', dict(type='CocoMetric'), 'coco/AP'),  # no limbs: an empty array in the checkpoint
        ('upper', '[]', dict(_delete_=True, type='PCKAccuracy'), 'PCK'),  # no sigmas either
    ],
)
def test_joints_without_limbs_halves_or_sigmas(
    here: Path, repo_root: Path, half: str, sigmas: str, evaluator: dict, best: str
) -> None:
    """Every place that reads a checkpoint opens what the run has written."""
    from mmpose.apis import init_model  # after sdpose, which makes it importable

    boxes_beside(here, 3)  # beside annotations without key points, in the evaluation too
    more = dict(joints=_three(half), sigmas=sigmas, evaluator=evaluator, best=best)
    metrics = _run(here, repo_root / _CUSTOM, _MORE.format(kind='CocoDataset', root=here, **more))
    assert best in metrics
    config = Config.fromfile('c.py')
    model = init_model(config, 'run/epoch_1.pth', device='cpu')
    assert np.size(model.dataset_meta['skeleton_links']) == 0
    publish('c.py', 'run/epoch_1.pth', 'published')
    published = next(here.glob('published*.pth'))
    init_model(config, str(published), device='cpu')
    (here / 'pupil.py').write_text(
        "_base_ = 'c.py'\nmodel = dict(distiller=dict(_delete_=True, type='TeacherDistiller', teacher='c.py', "
        'checkpoint='
        "'run/epoch_1.pth', terms=dict(loss_query=dict(type='TokenMSELoss', on='query', loss_weight=5e-4))))\n"
    )
    training.train('pupil.py', work_dir='pupil', no_validate=True)
    assert torch.load('pupil/epoch_1.pth', weights_only=False)['meta']['epoch'] == 1


_MIXED = """
both = dict(
    type='CombinedDataset', metainfo=dict(from_file='configs/_base_/datasets/coco.py'),
    pipeline=train_pipeline, datasets=[
        dict(type='CocoDataset', data_root='a/', ann_file='ann.json', data_prefix=dict(img='images/')),
        dict(type='CrowdPoseDataset', data_root='b/', ann_file='ann.json', data_prefix=dict(img='images/'), pipeline=[
            dict(type='KeypointConverter', num_keypoints=17, mapping=[(number, number + 5) for number in range(12)])])])
train_dataloader['dataset'] = dict(both, _delete_=True)
val_part = dict(data_root='a/', ann_file='ann.json', data_prefix=dict(img='images/'), bbox_file=None)
val_dataloader['dataset'].update(val_part)
test_dataloader['dataset'] = dict(both, pipeline=val_pipeline, test_mode=True, _delete_=True)
val_evaluator = dict(ann_file='a/ann.json')
test_evaluator = dict(
    _delete_=True, type='MultiDatasetEvaluator',
    metrics=[dict(type='CocoMetric', ann_file='a/ann.json'), dict(type='PCKAccuracy', prefix='crowd')],
    datasets=[dict(type='CocoDataset'), dict(type='CrowdPoseDataset')])
model['neck']['num_queries'] = 17
"""


def test_a_mixture_with_a_metric_for_each_part(here: Path, repo_root: Path) -> None:
    for name, joints in (('a', 17), ('b', 14)):
        (here / name).mkdir()
        coco(here / name, joints)
    metrics = _run(here, repo_root / 'configs/sdpose/coco/sdpose-s-v1_stemnet_8xb64-300e_coco-256x192.py', _MIXED)
    assert 'coco/AP' in metrics


def test_checks_can_be_left_out(here: Path, repo_root: Path, capfd: pytest.CaptureFixture) -> None:
    boxes_beside(here, 3)
    content = json.loads((here / 'ann.json').read_text())
    for ann in content['annotations']:
        ann['area'] = 0
    (here / 'ann.json').write_text(json.dumps(content))
    more = dict(joints=_three(''), sigmas='[0.05] * 3', evaluator=dict(type='CocoMetric'), best='coco/AP')
    (here / 'c.py').write_text(
        _CONFIG.format(leaf=repo_root / _CUSTOM) + _MORE.format(kind='CocoDataset', root=here, **more)
    )
    with pytest.raises(Exception, match='3 of 3 labelled people have the area 0'):
        training.train('c.py', work_dir='run')
    training.train('c.py', work_dir='run', skip_checks=True)
    testing.test('c.py', 'run/epoch_1.pth', work_dir='test', skip_checks=True)
    assert '--skip-checks: data, checkpoint and config are not looked at' in ''.join(capfd.readouterr())


def test_a_picture_in_another_size_is_warned_of_once_on_loading(here: Path, repo_root: Path, caplog: Any) -> None:
    from sdpose.datasets.transforms import LoadCheckedImage

    boxes_beside(here, 3)
    for number in (1, 2, 3):
        cv2.imwrite(str(here / f'images/{number:06d}.jpg'), np.zeros((160, 120, 3), np.uint8))
    LoadCheckedImage._warned = False
    more = dict(joints=_three(''), sigmas='[0.05] * 3', evaluator=dict(type='CocoMetric'), best='coco/AP')
    (here / 'c.py').write_text(
        _CONFIG.format(leaf=repo_root / _CUSTOM) + _MORE.format(kind='CocoDataset', root=here, **more)
    )
    training.train('c.py', work_dir='run', no_validate=True, skip_checks=True)
    log = ''.join(path.read_text() for path in (here / 'run').glob('*/*.log'))
    assert len(re.findall(r'image .*\.jpg is loaded as 120 x 160, its entry says 160 x 120', log)) == 1
