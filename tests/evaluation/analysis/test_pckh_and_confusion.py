"""MPII's measure is MMPose's, ranks of classes are the metric's, and the numbers beside them are made by hand."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.evaluation.metrics import MpiiPCKAccuracy

from sdpose.evaluation import SampleRecord, TopKAccuracy
from sdpose.evaluation.analysis.confusion import class_numbers, confusion, ranks
from sdpose.evaluation.analysis.pckh import head_distances, inverted_joints, mean_pckh, pckh

MIRRORED = np.asarray(parse_pose_metainfo(dict(from_file='configs/_base_/datasets/mpii.py'))['flip_indices'])


def people(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Predicted and annotated joints, labels and heads of 20 people."""
    rng = np.random.default_rng(seed)
    true = rng.uniform(0, 300, (20, 16, 2))
    joints = true - 1 + rng.normal(0, 1, true.shape) * rng.choice([2, 15, 60], (20, 16, 1))
    return joints, true, rng.random((20, 16)) < 0.8, rng.uniform(20, 80, 20)


def test_pckh_is_that_of_mmpose() -> None:
    joints, true, labelled, heads = people(0)
    metric = MpiiPCKAccuracy(thr=0.5)
    for each in zip(joints, true, labelled, heads):
        gt = dict(keypoints=each[1][None], keypoints_visible=each[2][None], head_size=np.array([each[3]]))
        metric.process([], [dict(pred_instances=dict(keypoints=each[0][None]), gt_instances=gt)])
    theirs = metric.evaluate(20)
    distances = head_distances(joints, true, labelled, heads)
    ours = 100 * pckh(distances, 0.5)
    assert 100 * mean_pckh(distances, 0.5) == pytest.approx(theirs['PCK'])
    assert 100 * mean_pckh(distances, 0.1) == pytest.approx(theirs['PCK@0.1'])
    assert ours[9] == pytest.approx(theirs['Head PCK'])
    assert ours[[10, 15]].mean() == pytest.approx(theirs['Wrist PCK'])
    weights = np.ones(20)
    weights[:5] = 3
    again = np.concatenate([distances, distances[:5], distances[:5]])
    assert mean_pckh(distances, 0.5, weights) == pytest.approx(mean_pckh(again, 0.5))
    assert np.allclose(pckh(distances, 0.5, weights), pckh(again, 0.5))


def test_heads_without_a_size_and_joints_that_nobody_has() -> None:
    joints, true, labelled, heads = people(1)
    heads[:3], labelled[:, 4] = 0, False
    distances = head_distances(joints, true, labelled, heads)
    assert np.isnan(distances[:3]).all() and np.isnan(distances[:, 4]).all()
    assert np.isnan(pckh(distances, 0.5)[4]) and 0 < mean_pckh(distances, 0.5) < 1


def test_inverted_joints_by_hand() -> None:
    true = np.zeros((1, 16, 2)) + 100 * np.arange(16)[:, None]
    joints, labelled = true - 1, np.ones((1, 16), bool)
    joints[0, [10, 15]] = joints[0, [15, 10]]  # wrists
    joints[0, 0, 1] += 250  # near nothing
    found = inverted_joints(joints, true, labelled, np.array([40.0]), MIRRORED)
    assert np.flatnonzero(found[0]).tolist() == [10, 15]


def test_ranks_are_those_of_the_metric() -> None:
    rng = np.random.default_rng(0)
    scores, labels = rng.integers(0, 4, (50, 7)) / 4, rng.integers(0, 7, 50)
    scores[3, 2] = np.nan
    metric = TopKAccuracy(topk=(1, 3))
    metric.process([], [dict(pred_score=torch.tensor(each), gt_label=label) for each, label in zip(scores, labels)])
    assert ranks(scores, labels).tolist() == metric.results


def test_confusion_by_hand() -> None:
    scores = np.array([[0.9, 0.1, 0], [0.2, 0.8, 0], [0.1, 0.9, 0], [0, 0, 1], [0.6, 0, 0.4], [np.nan, 0.5, 0.4]])
    table = confusion(scores, np.array([0, 0, 0, 2, 2, 2]))
    assert table.tolist() == [[1, 2, 0], [0, 0, 0], [1, 1, 1]]
    first, second = class_numbers(table, ['a', 'b', 'c'])
    assert first == ('a', 3, pytest.approx(1 / 3), 'b', pytest.approx(2 / 3))
    assert second == ('c', 3, pytest.approx(1 / 3), 'a', pytest.approx(1 / 3))


def test_a_record_holds_a_row_for_each_sample(tmp_path: Path) -> None:
    record = SampleRecord(str(tmp_path / 'r.npz'), dict(name='img_path', score='pred.score', label='gt'))
    for number in range(5):
        record.process([], [dict(img_path=f'{number}.jpg' * (number + 1), pred=dict(score=torch.ones(3)), gt=number)])
    assert record.evaluate(4) == {}  # the fifth is a sampler's repetition
    with np.load(tmp_path / 'r.npz') as arrays:
        assert arrays['name'].tolist() == ['0.jpg', '1.jpg1.jpg', '2.jpg2.jpg2.jpg', '3.jpg' * 4]
        assert arrays['score'].shape == (4, 3) and arrays['label'].tolist() == [0, 1, 2, 3]
