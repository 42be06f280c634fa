"""Predictions that are no numbers are counted once each, and said after the metrics."""

import logging
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from mmengine.registry import METRICS
from mmengine.runner import Runner
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample

import sdpose  # noqa: F401
from sdpose.evaluation import not_finite
from sdpose.evaluation.not_finite import NotFiniteCount
from sdpose.structures import ClassSample

SAID = 'people have key points or scores that are NaN or infinite, the first on image id'


def person(number, place=1.0, score=1.0):
    """Two people per image, numbered throughout."""
    sample = PoseDataSample(metainfo=dict(id=number, img_id=50 + number // 2))
    sample.pred_instances = InstanceData(keypoints=np.full((1, 3, 2), place), keypoint_scores=np.full((1, 3), score))
    return sample


def picture(number, *scores):
    sample = ClassSample(metainfo=dict(sample_idx=number, img_path=f'cat/{number}.png'))
    sample.pred_score = torch.tensor(scores)
    return sample


def test_finite_predictions_say_nothing():
    count = NotFiniteCount()
    count.add([person(0), person(1, place=-1e30)])
    count.add([])
    count.add([dict(value=1)])  # of another task
    assert count.take(3) is None


@pytest.mark.parametrize('value', [math.nan, math.inf, -math.inf])
def test_people_are_counted_once(value):
    count = NotFiniteCount()
    one_joint = person(5)
    one_joint.pred_instances.keypoints[0, 2, 1] = value
    count.add([person(2), person(3, score=value), one_joint])
    count.add([person(3, score=value)])  # repeated by a sampler
    assert count.take(9).startswith(f'2 of 9 {SAID} 51: ')
    assert count.take(9) is None  # the next evaluation begins from nothing


def test_images_of_classes():
    count = NotFiniteCount()
    count.add([picture(0, 0.5, 0.5), picture(1, 0.5, math.nan)])
    assert count.take(2).startswith('1 of 2 images have scores that are NaN or infinite, the first on image cat/1.png')


def test_processes_are_put_together(monkeypatch):
    other = NotFiniteCount()
    other.add([person(1, math.nan), person(2, math.nan)])
    monkeypatch.setattr(not_finite, 'all_gather_object', lambda own: [own, other._broken])
    count = NotFiniteCount()
    count.add([person(4, math.nan), person(1, math.nan)])
    assert count.take(8).startswith(f'3 of 8 {SAID} 52: ')
    # A process without any hears of the others'.
    assert count.take(8).startswith(f'2 of 8 {SAID} 50: ')


@METRICS.register_module()
class HowMany(BaseMetric):
    default_prefix = 'toy'

    def process(self, data_batch, data_samples):
        self.results.extend(data_samples)

    def compute_metrics(self, results):
        return dict(count=len(results))


class Broken(BaseModel):
    """NaN for person 3; in its second cycle, for person 2 too."""

    neck = SimpleNamespace(test_cycles=1)

    def predict_cycles(self, inputs, data_samples=None):
        return [[person(i, math.nan if i in broken else 1.0) for i in map(int, inputs)] for broken in ((3,), (2, 3))]

    def forward(self, inputs, data_samples=None, mode='predict'):
        return self.predict_cycles(inputs)[0]


@pytest.fixture
def warnings_of(tmp_path):
    """Evaluates four people in two batches; returns what is warned of."""

    def run(start, **parts):
        loader = dict(
            batch_size=2,
            num_workers=0,
            sampler=dict(type='DefaultSampler', shuffle=False),
            dataset=[dict(inputs=torch.tensor(number)) for number in range(4)],
        )
        runner = Runner(
            Broken(),
            str(tmp_path),
            default_scope='mmpose',
            experiment_name=f'{tmp_path.name}_{start}',
            default_hooks=dict(checkpoint=None, logger=None, finite_predictions=dict(type='FinitePredictionHook')),
            **{name: loader if value == 'loader' else value for name, value in parts.items()},
        )
        said = []
        handler = logging.Handler(logging.WARNING)
        handler.emit = lambda record: said.append(record.getMessage())
        runner.logger.addHandler(handler)
        getattr(runner, start)()
        return [line.rpartition(':')[0] for line in said if 'NaN' in line]

    return run


def test_a_test_and_a_validation_warn_in_one_line(warnings_of):
    metric = dict(type='HowMany')
    assert warnings_of('test', test_dataloader='loader', test_cfg={}, test_evaluator=metric) == [f'1 of 4 {SAID} 51']
    assert warnings_of('val', val_dataloader='loader', val_cfg={}, val_evaluator=metric) == [f'1 of 4 {SAID} 51']


def test_every_cycle_has_its_warning(warnings_of):
    said = warnings_of(
        'test',
        test_dataloader='loader',
        test_cfg=dict(type='AllCyclesTestLoop'),
        test_evaluator=dict(type='CycleEvaluator', metrics=[[dict(type='HowMany')]] * 2),
    )
    # Not a third time for the deployed cycle.
    assert said == [f'cycle 1: 1 of 4 {SAID} 51', f'cycle 2: 2 of 4 {SAID} 51']
