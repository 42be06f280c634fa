"""Top-k accuracy by hand."""

import pytest
import torch
from mmengine.evaluator import Evaluator
from mmpose.registry import METRICS

import sdpose  # noqa: F401
from sdpose.errors import ConfigError
from sdpose.evaluation import TopKAccuracy


def sample(scores, label):
    return dict(pred_score=torch.tensor(scores), gt_label=torch.tensor(label))


def measured(samples, **options):
    metric = TopKAccuracy(**options)
    metric.process(None, samples)
    return metric.evaluate(len(samples))


def test_by_hand():
    samples = [
        sample([0.1, 0.2, 0.3, 0.4], 3),  # first
        sample([0.1, 0.2, 0.3, 0.4], 2),  # second
        sample([0.1, 0.2, 0.3, 0.4], 0),  # last
        sample([0.7, 0.1, 0.1, 0.1], 0),  # first
    ]
    assert measured(samples, topk=(1, 2, 3)) == {'accuracy/top1': 50.0, 'accuracy/top2': 75.0, 'accuracy/top3': 75.0}


def test_one_value_for_all_classes_is_right_by_chance_only():
    samples = [sample([0.25] * 4, label) for label in range(4)]
    assert measured(samples, topk=(1, 3)) == {'accuracy/top1': 25.0, 'accuracy/top3': 75.0}


def test_scores_that_are_no_numbers_are_wrong():
    nan = float('nan')
    assert measured([sample([nan] * 4, 0), sample([nan, 1.0, nan, nan], 1)], topk=1) == {'accuracy/top1': 0.0}


def test_as_many_k_as_classes_are_refused():
    with pytest.raises(ConfigError, match='top-5 accuracy of 5 classes is always 100 %'):
        measured([sample([0.2] * 5, 0)])
    with pytest.raises(ValueError, match='at least 1, got'):
        TopKAccuracy(topk=(0,))


@pytest.mark.parametrize('topk', [(), 0, (1, 0), 'five', (1.0,)])
def test_numbers_that_are_no_k(topk):
    with pytest.raises(ValueError, match='topk must name integers of at least 1, got '):
        TopKAccuracy(topk)


def test_the_registry_and_an_evaluator_know_it():
    evaluator = Evaluator([METRICS.build(dict(type='TopKAccuracy', topk=(1,)))])
    evaluator.process([sample([0.0, 1.0], 1), sample([0.0, 1.0], 0)])
    assert evaluator.evaluate(2) == {'accuracy/top1': 50.0}
