"""Values that a run reads late are refused before it, as what reads them demands, and nothing else is."""

import copy
import math
from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config

import sdpose  # noqa: F401
from sdpose.config.load import load_config
from sdpose.errors import ConfigError, UserError
from sdpose.preflight import run_values
from sdpose.preflight.checkpoint import check_checkpoint
from sdpose.preflight.run_values import check_values

TINY = 'sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48'
ALL = ('train', 'val', 'test')


@pytest.fixture(scope='module')
def tiny() -> Config:
    return load_config(TINY)


def _with(cfg: Config, key: str, value: Any) -> Config:
    cfg = copy.deepcopy(cfg)
    if '.' in key:
        cfg.merge_from_dict({key: value})
    else:
        cfg[key] = value
    return cfg


REFUSED = {
    'train_cfg.max_epochs': (0, -1, 1.5, 'a', True, None),
    'train_cfg.max_iters': (0,),
    'train_cfg.val_interval': (0, -1, 0.5, 'a'),
    'default_hooks.checkpoint.interval': ('a', None, 0.5),
    'default_hooks.checkpoint.max_keep_ckpts': ('a', None),
    'default_hooks.checkpoint.filename_tmpl': (5, 'best', '{', '{a}'),
    'model.data_preprocessor.std': ([1, 0, 1],),
    'model.head.loss.loss_weight': (-1, 'heavy', None),
    'val_evaluator.iou_type': ('x', 5, 'segm', 'bbox'),
    'test_evaluator.score_mode': ('foo', None, ['bbox']),
    'test_evaluator.nms_mode': ('soft', None),
    'val_evaluator.nms_thr': (-1, math.nan, 'a', None, True),
    'val_evaluator.keypoint_score_thr': (math.nan, math.inf, 'a'),
    'val_evaluator.collect_device': ('moon',),
    'default_hooks.logger.interval': (0, 'a'),
    'optim_wrapper.accumulative_counts': (0, -2, 'a', 1.5),
    'optim_wrapper.clip_grad': (1.0, 'a', {}, dict(type='value'), dict(max_norm=0), dict(max_norm='a')),
    'optim_wrapper.optimizer.type': ('NoSuch',),
    'log_level': ('LOUD', 'info'),
    'log_processor.window_size': ('a', 0),
    'device': ('cuda:9', 'tpu'),
    'train_dataloader.batch_size': (0, -1, 'a', None, 2.5),
    'val_dataloader.batch_size': (0,),
    'test_dataloader.batch_size': (0,),
    'train_dataloader.num_workers': (-1, 'a', 0.5),
    'val_dataloader.prefetch_factor': (0, 'a'),
    'train_dataloader': (dict(num_workers=0, timeout=5),),
    'auto_scale_lr': (dict(enable=True), dict(enable=True, base_batch_size=0)),
    'randomness.seed': ('a', -1, 2**40),
    'default_scope': ('nowhere', 5),
    'param_scheduler': ([dict(type='LinearLR', begin=5, end=2)], [dict(type='NoSuch')]),
}
TAKEN = {
    'default_hooks.checkpoint.filename_tmpl': ('step_{}.pth', None),
    'model.head.loss.loss_weight': (0, 2.5),
    'val_evaluator.iou_type': ('keypoints_crowd', 'keypoints_wholebody'),
    'val_evaluator.score_mode': ('bbox_keypoint', 'bbox', 'bbox_rle', 'keypoint'),
    'val_evaluator.nms_mode': ('oks_nms', 'soft_oks_nms', 'none'),
    'val_evaluator.nms_thr': (0, 0.5, 1),
    'val_evaluator.keypoint_score_thr': (0, -1, 0.3),
    'val_evaluator.collect_device': ('cpu', 'gpu'),
    'train_cfg.max_epochs': (1, 2.0),
    'default_hooks.checkpoint.interval': (-1, 0, 7),
    'default_hooks.checkpoint.max_keep_ckpts': (-1, 0, 3),
    'optim_wrapper.clip_grad': (
        None,
        dict(max_norm=1),
        dict(max_norm=1.0, norm_type=1, error_if_nonfinite=True),
        dict(type='value', clip_value=0.1),
    ),
    'log_level': ('DEBUG', 'WARN', 10),
    'device': ('cpu', None),
    'train_dataloader.num_workers': (0, 64),
    'train_dataloader.prefetch_factor': (None, 4),
    'auto_scale_lr': (None, dict(enable=False), dict(enable=True, base_batch_size=2.5)),
    'randomness.seed': (None, 0, 2**32 - 1),
    'default_scope': ('mmengine', 'mmpose', 'sdpose'),
    'param_scheduler': (
        None,
        dict(type='ConstantLR', factor=0.5),
        [
            dict(type='CosineAnnealingLR', T_max=3, convert_to_iter_based=True),
            dict(type='CosineAnnealingMomentum', T_max=3),
        ],
    ),
}


@pytest.mark.parametrize('key, value', [(key, value) for key, values in REFUSED.items() for value in values])
def test_values_that_are_refused(tiny: Config, key: str, value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_values, 'get_device', lambda: 'cpu')
    with pytest.raises(ConfigError, match=key.replace('.', r'\.')):
        check_values(_with(tiny, key, value), ALL)


@pytest.mark.parametrize('key, value', [(key, value) for key, values in TAKEN.items() for value in values])
def test_values_that_are_taken(tiny: Config, key: str, value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_values, 'get_device', lambda: 'cpu')
    check_values(_with(tiny, key, value), ALL)


def test_only_what_is_read_is_checked(tiny: Config) -> None:
    for key, value, splits in (
        ('train_cfg.val_interval', 0, ('train',)),
        ('train_cfg.max_epochs', 0, ('test',)),
        ('test_dataloader.batch_size', 0, ('train', 'val')),
    ):
        check_values(_with(tiny, key, value), splits)
    own = copy.deepcopy(tiny)
    own.train_cfg = dict(type='SomebodysLoop', max_epochs='as many as needed')
    check_values(own, ALL)


def test_each_of_several_optimizers_is_checked(tiny: Config) -> None:
    cfg = copy.deepcopy(tiny)
    cfg.optim_wrapper = dict(constructor='C', a=dict(optimizer=dict(type='SGD', lr=1), accumulative_counts=0))
    with pytest.raises(ConfigError, match='optim_wrapper.a.accumulative_counts is 0'):
        check_values(cfg, ALL)


def test_a_training_without_checkpoints_is_said(tiny: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(run_values, 'print_log', lambda line, *_: said.append(line))
    check_values(_with(tiny, 'default_hooks.checkpoint.interval', 0), ('train',))
    check_values(_with(tiny, 'default_hooks.checkpoint', dict(interval=-1, save_last=False)), ('train',))
    assert [line.rpartition(': ')[2] for line in said] == ['only the end is saved', 'nothing is saved']


def test_checkpoints_need_their_own_folder(tiny: Config, tmp_path: Path) -> None:
    (tmp_path / 'a_file').write_text('')
    cfg = _with(tiny, 'default_hooks.checkpoint.out_dir', str(tmp_path / 'a_file/x'))
    with pytest.raises(UserError, match=r'default_hooks.checkpoint.out_dir: .*a_file/x'):
        check_values(cfg, ('train',))


def test_weights_that_a_part_begins_with_are_there(tiny: Config) -> None:
    cfg = _with(tiny, 'model.backbone.init_cfg', dict(type='Pretrained', checkpoint='gone.pth', _delete_=True))
    with pytest.raises(ConfigError, match=r'model.backbone.init_cfg.checkpoint: checkpoint gone.pth does not exist'):
        check_checkpoint(cfg, ('train',))
    cfg.model.backbone.init_cfg = dict(type='Pretrained', checkpoint='torchvision://resnet50')
    check_checkpoint(cfg, ('train',))
