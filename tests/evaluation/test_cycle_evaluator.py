"""Every cycle has metrics of its own."""

import numpy as np
import pytest
from mmengine.evaluator import BaseMetric
from mmengine.registry import EVALUATOR, METRICS

from sdpose.evaluation import CycleEvaluator, cycle_table


@METRICS.register_module()
class MeanOfPredictions(BaseMetric):
    default_prefix = 'toy'

    def process(self, data_batch, data_samples):
        self.results.extend(sample['value'] * self.dataset_meta['factor'] for sample in data_samples)

    def compute_metrics(self, results):
        return dict(mean=float(np.mean(results)), count=len(results))


def _samples(*values: float) -> list[dict]:
    return [dict(value=value) for value in values]


def test_each_cycle_is_measured_by_itself() -> None:
    metrics = [[dict(type='MeanOfPredictions')], [dict(type='MeanOfPredictions')]]
    evaluator = EVALUATOR.build(dict(type='CycleEvaluator', metrics=metrics))
    evaluator.dataset_meta = dict(factor=10)
    assert evaluator.dataset_meta == dict(factor=10)
    evaluator.process([_samples(1, 2), _samples(5, 6)], None)
    evaluator.process([_samples(3), _samples(10)], None)
    expected = {'cycle1/toy/mean': 20.0, 'cycle1/toy/count': 3, 'cycle2/toy/mean': 70.0, 'cycle2/toy/count': 3}
    assert evaluator.evaluate(3) == expected
    # A second evaluation starts from nothing, as MMEngine's does.
    evaluator.process([_samples(4), _samples(7)], None)
    assert evaluator.evaluate(1)['cycle2/toy/mean'] == 70.0


def test_another_number_of_cycles_is_refused() -> None:
    evaluator = CycleEvaluator([[dict(type='MeanOfPredictions')]])
    evaluator.dataset_meta = dict(factor=1)
    with pytest.raises(ValueError, match='zip'):
        evaluator.process([_samples(1), _samples(2)], None)
    with pytest.raises(ValueError, match='at least one cycle'):
        CycleEvaluator([])


def test_table_by_hand() -> None:
    metrics = {'cycle1/coco/AP': 0.41234, 'cycle1/coco/AP .5': 1.0, 'cycle2/coco/AP': 0.5, 'cycle2/coco/AP .5': 0.98765}
    assert cycle_table(metrics, deployed=2) == (
        'metric      cycle 1  cycle 2 *\n'
        'coco/AP      0.4123     0.5000\n'
        'coco/AP .5   1.0000     0.9877\n'
        '* the cycle that the config deploys'
    )
