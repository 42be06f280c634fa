"""What --all-cycles demands of a config, and what it makes of it."""

from pathlib import Path

import pytest
from mmengine.config import Config

import sdpose  # noqa: F401
from sdpose.apis.all_cycles import count_cycles, of_cycle, use_all_cycles
from sdpose.apis.testing import _with_outputs
from sdpose.errors import ConfigError, UserError


def _config(model: str = 'DistillPoseEstimator', **values) -> Config:
    neck = dict(type='MultiCycledTransformer', num_cycles=3)
    return Config({'model': dict(type=model, neck=values.pop('neck', neck)), 'test_cfg': dict(fp16=True), **values})


@pytest.mark.parametrize(
    'neck, cycles',
    [(dict(type='MultiCycledTransformer', num_cycles=3), 3), (dict(type='mmpose.MultiCycledTransformer'), 1)],
)
def test_the_training_cycles_count(neck: dict, cycles: int) -> None:
    assert count_cycles(_config(neck=neck)) == cycles


@pytest.mark.parametrize(
    'values, message',
    [
        (dict(neck=None), r'--all-cycles needs a model with cycles, but model.neck.type is None'),
        (dict(neck=dict(type='FPN')), 'model.neck.type is FPN, not MultiCycledTransformer'),
        (dict(model='TopdownPoseEstimator'), 'TopdownPoseEstimator has no predict_cycles; use DistillPoseEstimator'),
        (dict(test_cfg=dict(type='MyLoop')), 'replaces the test loop, but test_cfg.type is MyLoop'),
    ],
)
def test_what_cannot_be_evaluated_is_refused(values: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        count_cycles(_config(**values))


def test_the_rest_of_the_test_loop_stays() -> None:
    cfg = _config()
    use_all_cycles(cfg, [[dict(type='A')], [dict(type='A')]])
    assert cfg.test_cfg.to_dict() == dict(type='AllCyclesTestLoop', fp16=True)
    assert cfg.test_evaluator.type == 'CycleEvaluator'
    assert len(cfg.test_evaluator.metrics) == 2


def test_file_of_a_cycle() -> None:
    assert of_cycle('out/results.v1.json', 2) == 'out/results.v1.cycle2.json'
    assert of_cycle(None, 1) is None


def test_the_files_of_a_cycle_are_checked(tmp_path: Path) -> None:
    cfg = _config(test_evaluator=dict(type='CocoMetric', ann_file='ann.json'))
    evaluators, files = _with_outputs(cfg, str(tmp_path / 'r.json'), str(tmp_path / 'd.pkl'), 2)
    assert [file.path.name for file in files] == ['r.cycle1.json', 'r.cycle2.json']
    assert [metrics[1]['out_file_path'] for metrics in evaluators] == [f'{tmp_path}/d.cycle{n}.pkl' for n in (1, 2)]
    assert evaluators[0][0]['outfile_prefix'] != evaluators[1][0]['outfile_prefix']
    assert 'outfile_prefix' not in cfg.test_evaluator
    with pytest.raises(UserError, match=r'--out r.cycle1.txt: the result file must end in .json'):
        _with_outputs(cfg, 'r.txt', None, 2)
