"""PCKh by hand, and the file of predictions."""

import json

import numpy as np
import pytest

from sdpose.evaluation import MpiiMetric


def _sample(number, distances, head_size, hidden=()):
    """A person whose joints all lie at (100, 100), predicted so many pixels to the right."""
    truth, found = np.full((1, 16, 2), 100.0), np.full((1, 16, 2), 99.0)  # predictions count from 0
    found[0, :, 0] += distances
    visible = np.ones((1, 16))
    visible[0, list(hidden)] = 0
    return dict(
        id=number,
        img_path=f'a/b/{number}.jpg',
        gt_instances=dict(keypoints=truth, keypoints_visible=visible, head_size=np.array([[head_size]])),
        pred_instances=dict(keypoints=found, keypoint_scores=np.full((1, 16), 0.5)),
    )


def test_pckh_by_hand():
    near, far = np.zeros(16), np.zeros(16)
    near[[9, 13]] = 4.9, 5.1  # head size 10, threshold 0.5: head within, left shoulder beyond
    near[6] = 99  # the pelvis is no part of the mean
    far[[0, 1, 2]] = 2.9, 3.1, 99  # head size 30, threshold 0.1: right ankle within, knee beyond; the hip is hidden
    metric = MpiiMetric()
    metric.process({}, [_sample(0, near, 10), _sample(1, far, 30, hidden=(2,))])
    scores = metric.evaluate(2)
    assert scores['mpii/Head PCK'] == 100 and scores['mpii/Shoulder PCK'] == 75
    # 27 joints count: 14 of the first person, 13 of the second. One is wrong at 0.5; at 0.1 two of the first and one of
    # the second.
    assert scores['mpii/PCK'] == pytest.approx(100 * 26 / 27)
    assert scores['mpii/PCK@0.1'] == pytest.approx(100 * 24 / 27)


def test_predictions_are_written_in_order_and_counted_from_1(tmp_path):
    metric = MpiiMetric(outfile_prefix=str(tmp_path / 'p'))
    metric.process({}, [_sample(1, np.zeros(16), 10), _sample(0, np.arange(16), 10)])
    assert metric.evaluate(2)['mpii/PCK'] < 100
    first, second = json.loads((tmp_path / 'p.keypoints.json').read_text())
    assert (first['person'], first['image'], second['image']) == (0, '0.jpg', '1.jpg')
    assert first['keypoints'] == [[100 + joint, 100] for joint in range(16)] and first['scores'] == [0.5] * 16


def test_a_split_without_labels_is_written_only(tmp_path):
    metric = MpiiMetric(format_only=True, outfile_prefix=str(tmp_path / 'p'))
    sample = _sample(0, np.zeros(16), 10)
    metric.process({}, [dict(sample, gt_instances={})])
    assert metric.evaluate(1) == {} and len(json.loads((tmp_path / 'p.keypoints.json').read_text())) == 1
    with pytest.raises(ValueError, match='takes an outfile_prefix'):
        MpiiMetric(format_only=True)
