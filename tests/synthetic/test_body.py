"""Skeleton, poses, kinematics and camera against values worked out by hand."""

import numpy as np
import pytest

from sdpose.synthetic.people.camera import View
from sdpose.synthetic.people.kinematics import pose_body
from sdpose.synthetic.people.pose import ANGLES, FAMILIES, INDEX, LIMITS, make_pose, mirrored, sample_pose
from sdpose.synthetic.people.skeleton import (
    ADJOINING,
    COCO_17,
    CROWDPOSE_14,
    JOINT_INDEX,
    JOINTS,
    MPII_16,
    Part,
    Proportions,
)

SIZE = Proportions()
SWAP = [JOINT_INDEX[name.replace('left', '#').replace('right', 'left').replace('#', 'right')] for name in JOINTS]


def test_joint_sets_match_the_formats():
    assert [JOINTS[i] for i in COCO_17][:5] == ['nose', 'left_eye', 'right_eye', 'left_ear', 'right_ear']
    assert [JOINTS[i] for i in CROWDPOSE_14][-2:] == ['head_top', 'upper_neck'] and len(set(CROWDPOSE_14)) == 14
    assert [JOINTS[i] for i in MPII_16][6:10] == ['pelvis', 'thorax', 'upper_neck', 'head_top'] and len(
        set(MPII_16)
    ) == 16
    assert set(ADJOINING) == set(range(21)) and len(COCO_17) == 17


def test_no_part_of_one_side_shows_a_joint_of_the_other():
    for joint, parts in ADJOINING.items():
        for side, other in (('left', 'RIGHT'), ('right', 'LEFT')):
            if JOINTS[joint].startswith(side):
                assert not any(Part(part).name.startswith(other) for part in parts)


def test_upright_person_hangs_its_arms():
    body = pose_body(SIZE, make_pose())
    shoulder, wrist = body.joint('left_shoulder'), body.joint('left_wrist')
    np.testing.assert_allclose(shoulder - wrist, (0, SIZE.upper_arm + SIZE.forearm, 0), atol=1e-9)
    np.testing.assert_allclose(
        body.joint('left_hip') - body.joint('left_ankle'), (0, SIZE.thigh + SIZE.shank, 0), atol=1e-9
    )
    assert shoulder[0] == pytest.approx(SIZE.half_shoulders) and body.joint('right_shoulder')[0] == -shoulder[0]
    assert 0.9 < body.joint('head_top')[1] < 1.05
    assert body.joint('nose')[2] > body.joint('left_ear')[2]


@pytest.mark.parametrize(
    'angles, joint, parent, direction, length',
    [
        (dict(left_shoulder_flex=90), 'left_elbow', 'left_shoulder', (0, 0, 1), SIZE.upper_arm),
        (dict(left_shoulder_spread=90), 'left_elbow', 'left_shoulder', (1, 0, 0), SIZE.upper_arm),
        (dict(right_shoulder_spread=90), 'right_elbow', 'right_shoulder', (-1, 0, 0), SIZE.upper_arm),
        (dict(left_elbow=90), 'left_wrist', 'left_elbow', (0, 0, 1), SIZE.forearm),
        (dict(left_elbow=90, left_shoulder_turn=90), 'left_wrist', 'left_elbow', (-1, 0, 0), SIZE.forearm),
        (dict(right_elbow=90, right_shoulder_turn=90), 'right_wrist', 'right_elbow', (1, 0, 0), SIZE.forearm),
        (dict(right_hip_flex=90), 'right_knee', 'right_hip', (0, 0, 1), SIZE.thigh),
        (dict(right_knee=90), 'right_ankle', 'right_knee', (0, 0, -1), SIZE.shank),
    ],
)
def test_angles_turn_limbs_the_stated_way(angles, joint, parent, direction, length):
    body = pose_body(SIZE, make_pose(**angles))
    np.testing.assert_allclose(body.joint(joint) - body.joint(parent), np.multiply(direction, length), atol=1e-9)


@pytest.mark.parametrize('family', list(FAMILIES))
def test_poses_keep_within_the_limits_and_stand_on_the_floor(family):
    rng = np.random.default_rng(3)
    low, high = np.array(list(LIMITS.values())).T
    for _ in range(20):
        pose = sample_pose(rng, family)
        assert (pose >= low).all() and (pose <= high).all()
        body = pose_body(SIZE, pose)
        lowest = min(body.points[f'{side}_{end}'][1] for side in ('left', 'right') for end in ('heel', 'toe'))
        assert lowest == pytest.approx(0.012)


def test_a_mirrored_pose_swaps_left_and_right():
    rng = np.random.default_rng(5)
    for family in FAMILIES:
        pose = sample_pose(rng, family)
        np.testing.assert_array_equal(mirrored(mirrored(pose)), pose)
        joints, seen = pose_body(SIZE, pose).joints, pose_body(SIZE, mirrored(pose)).joints
        np.testing.assert_allclose(seen[SWAP] * (-1, 1, 1), joints, atol=1e-9)


def test_paired_angles_are_complete():
    assert all(name.replace('left', 'right') in INDEX for name in ANGLES)
    assert make_pose(elbow=30)[INDEX['right_elbow']] == 30


def test_the_camera_turns_and_projects():
    view = View((100, 200), 50, yaw=90, distance=4)
    np.testing.assert_allclose(view.rotation() @ (0, 0, 1), (1, 0, 0), atol=1e-12)
    np.testing.assert_allclose(view.project(np.array([0.0, 1.0, 0.0])), (100, 150))
    # One stature nearer than the pelvis at four statures' distance: 4 / 3 as large.
    np.testing.assert_allclose(view.project(np.array([1.0, 0.0, 1.0])), (100 + 50 * 4 / 3, 200))
    assert view.mirrored(640).foot == (539, 200) and view.mirrored(640).yaw == -90
