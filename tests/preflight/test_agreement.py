"""Values that contradict each other: refused where a run would fail, said where it would not."""

import copy
import logging
from typing import Any

import pytest
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmpose.registry import METRICS

import sdpose  # noqa: F401
from sdpose.config.load import load_config
from sdpose.errors import ConfigError
from sdpose.preflight import agreement
from sdpose.preflight.agreement import check_flips, check_metrics, check_schedule
from sdpose.preflight.metric_names import metric_names

TINY = 'sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48'
BOTH = ('train', 'val')


@pytest.fixture
def cfg() -> Config:
    return copy.deepcopy(load_config(TINY))


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(agreement, 'print_log', lambda text, logger, level: lines.append(text))
    assert logging.WARNING
    return lines


@METRICS.register_module()
class MetricOfAnother(BaseMetric):
    """One whose names nobody knows before."""

    def process(self, data_batch: Any, data_samples: Any) -> None: ...

    def compute_metrics(self, results: list) -> dict: ...


@pytest.mark.parametrize(
    'evaluator, save_best, fits',
    [
        (dict(type='CocoMetric'), 'coco/AP', True),
        (dict(type='CocoMetric'), 'coco/AR (L)', True),
        (dict(type='CocoMetric'), 'AP', False),
        (dict(type='CocoMetric'), ['coco/AP', 'coco/ap'], False),
        (dict(type='CocoMetric'), 'auto', True),
        (dict(type='CocoMetric', prefix='mine'), 'mine/AP', True),
        (dict(type='CocoMetric', prefix='mine'), 'coco/AP', False),
        (dict(type='CocoMetric', iou_type='keypoints_crowd', prefix='crowdpose'), 'crowdpose/AP(H)', True),
        (dict(type='CocoMetric', iou_type='keypoints_crowd'), 'coco/AP (M)', False),
        (dict(type='CocoMetric', format_only=True, outfile_prefix='x'), 'coco/AP', False),
        (dict(type='CocoMetric', format_only=True, outfile_prefix='x'), 'auto', False),
        (dict(type='CocoMetric', format_only=True, outfile_prefix='x'), None, True),
        (dict(type='CocoWholeBodyMetric'), 'coco-wholebody/AP', True),
        (dict(type='CocoWholeBodyMetric'), 'coco/AP', False),
        (dict(type='MpiiMetric'), 'mpii/PCK', True),
        (dict(type='MpiiMetric'), 'mpii/PCK@0.1', True),
        (dict(type='MpiiMetric'), 'PCK', False),
        (dict(type='MpiiPCKAccuracy'), 'Ankle PCK', True),
        (dict(type='PCKAccuracy', norm_item=['bbox', 'torso']), 'tPCK', True),
        (dict(type='PCKAccuracy'), 'PCKh', False),
        (dict(type='AUC'), 'AUC', True),
        (dict(type='EPE'), 'coco/AP', False),
        (dict(type='NME', norm_mode='keypoint_distance', prefix='n'), 'n/NME', True),
        ([dict(type='EPE'), dict(type='CocoMetric')], 'coco/AP', True),
        (dict(type='MetricOfAnother'), 'whatever', True),
        (dict(type='MetricOfAnother', prefix='mine'), 'mine/whatever', True),
        (dict(type='MetricOfAnother', prefix='mine'), 'coco/AP', False),
        ([dict(type='EPE'), dict(type='NoSuchMetric')], 'coco/AP', True),
        (dict(type='MultiDatasetEvaluator', metrics=[], datasets=[]), 'a/coco/AP', True),
        (dict(type='TopKAccuracy', topk=(1, 3)), 'accuracy/top3', True),
        (dict(type='TopKAccuracy', topk=1), 'accuracy/top5', False),
    ],
)
def test_the_best_is_chosen_by_a_metric_that_there_is(cfg: Config, evaluator: Any, save_best: Any, fits: bool) -> None:
    cfg.val_evaluator = evaluator
    cfg.default_hooks.checkpoint.save_best = save_best
    if fits:
        check_metrics(cfg, BOTH)
    else:
        with pytest.raises(ConfigError, match='^default_hooks.checkpoint.save_best .* val_evaluator gives'):
            check_metrics(cfg, BOTH)
    check_metrics(cfg, ('train',))


def test_names_are_those_that_a_metric_gives() -> None:
    """CocoMetric's, from its own evaluation of nothing."""
    import inspect

    from mmpose.evaluation import CocoMetric

    text = inspect.getsource(CocoMetric._do_python_keypoint_eval)
    for iou_type in ('keypoints', 'keypoints_crowd'):
        names = metric_names(dict(type='CocoMetric', iou_type=iou_type))
        assert names is not None and names[1]
        assert all(f"'{name}'" in text for name in names[1])


def test_other_hooks_that_wait_for_a_metric(cfg: Config, said: list[str]) -> None:
    hook = dict(type='EarlyStoppingHook', monitor='coco/ap', rule='greater')
    cfg.custom_hooks = [hook]
    check_metrics(cfg, BOTH)
    assert "custom_hooks.0.monitor is 'coco/ap', but val_evaluator gives coco/AP" in said[0]
    cfg.custom_hooks = [dict(hook, strict=True)]
    with pytest.raises(ConfigError, match='custom_hooks.0.monitor'):
        check_metrics(cfg, BOTH)


def test_an_error_of_which_more_is_called_better(cfg: Config, said: list[str]) -> None:
    cfg.val_evaluator = dict(type='EPE')
    cfg.default_hooks.checkpoint.save_best = 'EPE'
    check_metrics(cfg, BOTH)
    assert 'less is better' in said[0]
    cfg.default_hooks.checkpoint.rule = 'less'
    check_metrics(cfg, BOTH)
    assert len(said) == 1


@pytest.mark.parametrize(
    'evaluator, key',
    [
        (dict(type='CocoMetric', format_only=True), 'val_evaluator.outfile_prefix'),
        ([dict(type='EPE'), dict(type='MpiiMetric', format_only=True)], 'val_evaluator.1.outfile_prefix'),
    ],
)
def test_results_without_a_place(cfg: Config, evaluator: Any, key: str) -> None:
    cfg.val_evaluator = evaluator
    with pytest.raises(ConfigError, match=key):
        check_metrics(cfg, BOTH)


COSINE = dict(type='CosineAnnealingLR', by_epoch=True, begin=0)
WARM_UP = dict(type='LinearLR', begin=0, end=500, by_epoch=False, start_factor=0.1)


@pytest.mark.parametrize(
    'loop, schedules, warned',
    [
        (dict(max_epochs=30), [WARM_UP, dict(COSINE, end=30, T_max=30)], False),
        (dict(max_epochs=3), [WARM_UP, dict(COSINE, end=30, T_max=30)], True),
        (dict(max_epochs=60), [WARM_UP, dict(COSINE, end=30, T_max=30)], True),
        (dict(max_epochs=3), [dict(COSINE, T_max=30)], True),
        (dict(max_epochs=3), [dict(COSINE, T_max=3)], False),
        (dict(max_epochs=30), [dict(type='MultiStepLR', milestones=[20], end=30)], False),
        (dict(max_epochs=30), [dict(type='MultiStepLR', milestones=[20], end=99)], False),
        (dict(max_epochs=30), [dict(type='MultiStepLR', milestones=[20, 40], end=99)], True),
        (dict(max_epochs=30), [dict(type='StepLR', step_size=4)], False),
        (dict(max_epochs=30), [WARM_UP], False),
        (dict(max_epochs=30), [dict(WARM_UP, by_epoch=True, end=5), dict(COSINE, begin=5, end=30)], False),
        (dict(max_epochs=3), [dict(WARM_UP, by_epoch=True, end=5), dict(type='StepLR', step_size=9)], True),
        (dict(type='IterBasedTrainLoop', max_iters=900), [WARM_UP, dict(COSINE, by_epoch=False, end=900)], False),
        (dict(type='IterBasedTrainLoop', max_iters=900), [WARM_UP, dict(COSINE, by_epoch=False, end=99)], True),
        (dict(max_epochs=3), None, False),
    ],
)
def test_a_schedule_that_ends_elsewhere(loop: dict, schedules: Any, warned: bool, said: list[str]) -> None:
    check_schedule(Config(dict(train_cfg=loop, param_scheduler=schedules)), ('train',))
    assert bool(said) == warned
    assert not said or 'param_scheduler.' in said[0] and 'train_cfg.max_' in said[0]


@pytest.mark.parametrize(
    'steps, warned',
    [
        ([dict(type='RandomFlip', prob=0.5)], False),
        ([dict(type='RandomFlip')], False),
        ([dict(type='RandomFlip', prob=[0.1, 0.2], direction=['horizontal', 'vertical'])], False),
        ([dict(type='Albumentation', transforms=[dict(type='HorizontalFlip')])], False),
        ([dict(type='RandomFlip', prob=0.0)], True),
        ([dict(type='LoadImage')], True),
    ],
)
def test_flips_in_the_test_alone(cfg: Config, steps: list, warned: bool, said: list[str]) -> None:
    cfg.train_dataloader.dataset.pipeline = steps
    for splits in (('train',), ('test',)):
        check_flips(cfg, splits)
    assert len(said) == 2 * warned
    cfg.model.test_cfg.flip_test = False
    check_flips(cfg, ('train',))
    assert len(said) == 2 * warned


def test_a_best_checkpoint_needs_a_metric(cfg: Config) -> None:
    cfg.val_evaluator = []
    with pytest.raises(ConfigError, match=r"save_best is 'coco/AP', but val_evaluator gives no metric"):
        check_metrics(cfg, BOTH)


def test_a_validation_after_the_end_is_said(cfg: Config, said: list[str]) -> None:
    cfg.train_cfg.val_begin = cfg.train_cfg.max_epochs + 1
    check_metrics(cfg, BOTH)
    assert len(said) == 1 and said[0].startswith('train_cfg.val_begin is ')


def test_more_is_better_of_precision(cfg: Config, said: list[str]) -> None:
    cfg.default_hooks.checkpoint.rule = 'less'
    check_metrics(cfg, BOTH)
    assert len(said) == 1 and "set it to 'greater'" in said[0]
