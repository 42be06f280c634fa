"""People with coordinates that are no numbers match nobody."""

import json
import math

import numpy as np
import pytest
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.evaluation.metrics import CocoMetric

import sdpose  # noqa: F401

JOINTS = np.random.default_rng(0).uniform(10, 90, (4, 17, 2))


@pytest.fixture
def evaluate(tmp_path):
    """Evaluates coordinates (4, 17, 2) and scores (4, 17) of one person on each of four images."""
    people = [
        dict(
            id=i,
            image_id=i,
            category_id=1,
            iscrowd=0,
            num_keypoints=17,
            bbox=[5, 5, 90, 90],
            area=5000.0,
            keypoints=np.hstack([joints, np.full((17, 1), 2)]).ravel().tolist(),
        )
        for i, joints in enumerate(JOINTS)
    ]
    path = tmp_path / 'people.json'
    path.write_text(
        json.dumps(
            dict(
                images=[dict(id=i, width=100, height=100) for i in range(4)],
                annotations=people,
                categories=[dict(id=1, name='person')],
            )
        )
    )

    def run(joints, scores, **options):
        metric = CocoMetric(ann_file=str(path), **options)
        metric.dataset_meta = parse_pose_metainfo(dict(from_file='configs/_base_/datasets/coco.py'))
        metric.process(
            [],
            [
                dict(
                    id=i,
                    img_id=i,
                    gt_instances=dict(bbox_scores=np.ones(1)),
                    pred_instances=dict(keypoints=joints[i][None], keypoint_scores=scores[i][None]),
                )
                for i in range(4)
            ],
        )
        result = metric.evaluate(4)
        return result['coco/AP'], result['coco/AR']

    return run


@pytest.mark.filterwarnings('ignore::RuntimeWarning')
@pytest.mark.parametrize('score_mode', ['bbox_keypoint', 'bbox_rle', 'keypoint', 'bbox'])
@pytest.mark.parametrize('nms_mode', ['oks_nms', 'soft_oks_nms', 'none'])
def test_coco(evaluate, score_mode, nms_mode):
    options, scores = dict(score_mode=score_mode, nms_mode=nms_mode), np.full((4, 17), 0.9)
    assert evaluate(JOINTS, scores, **options) == pytest.approx((1, 1))
    for value in (math.nan, math.inf, -math.inf):
        joints = JOINTS.copy()
        joints[1:] = value
        # One of four people is right: 26 of COCO's 101 recalls are reached.
        assert evaluate(joints, scores, **options) == pytest.approx((26 / 101, 0.25))


@pytest.mark.filterwarnings('ignore::RuntimeWarning')
def test_one_joint_of_seventeen_is_enough_to_be_unknown(evaluate):
    joints = JOINTS.copy()
    joints[:, 0, 0] = math.nan
    assert evaluate(joints, np.full((4, 17), 0.9)) == (0, 0)


def test_scores_that_are_no_numbers_end_no_evaluation(evaluate):
    assert evaluate(JOINTS, np.full((4, 17), math.nan)) == (0, 0)
