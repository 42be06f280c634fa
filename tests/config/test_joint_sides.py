"""What names of joints tell, for people, animals, hands and tools."""

import pytest

from sdpose.apis.own_data.sigmas import guess_sigmas
from sdpose.config.joint_sides import guess_joints, same_joints


@pytest.mark.parametrize(
    ('left', 'right', 'part'),
    [
        ('left_hip', 'right_hip', 'hip'),
        ('Left Hip', 'Right Hip', 'hip'),
        ('hip_left', 'hip_right', 'hip'),
        ('l_hip', 'r_hip', 'hip'),
        ('lHip', 'rHip', 'hip'),
        ('LHip', 'RHip', 'hip'),
        ('hip.L', 'hip.R', 'hip'),
        ('HipL', 'HipR', 'hip'),
        ('lhip', 'rhip', 'hip'),
        ('lefthip', 'righthip', 'hip'),
        ('front-left-toe', 'front-right-toe', 'fronttoe'),
        ('L2', 'R2', '2'),
        ('hanche gauche', 'hanche droite', 'hanche'),
        ('左手', '右手', '手'),
    ],
)
def test_mirrored_pairs_by_name(left: str, right: str, part: str) -> None:
    guesses = guess_joints([right, 'tip', left])
    assert [joint.swap for joint in guesses] == [left, '', right]
    assert [joint.part for joint in guesses] == [part, 'tip', part]


def test_what_is_no_pair() -> None:
    """One side alone, words that only contain a letter of a side, and three that would share a mirror image."""
    names = ['left_ear', 'tail', 'tair_base', 'rear', 'ear', 'lever', 'upright', 'L_eye', 'r_eye', 'R_eye_2']
    assert {joint.name: joint.swap for joint in guess_joints(names) if joint.swap} == {
        'L_eye': 'r_eye',
        'r_eye': 'L_eye',
    }
    assert [joint.swap for joint in guess_joints(['left_right_knob', 'right_right_knob', 'left_left_knob'])] == [
        'right_right_knob',
        'left_right_knob',
        '',
    ]


def test_halves_where_both_occur() -> None:
    people = ['nose', 'Left Shoulder', 'l_hip', 'bigToe', 'small_toes', 'left_ankle', 'logo']
    assert [joint.half for joint in guess_joints(people)] == ['upper', 'upper', *['lower'] * 4, '']
    animal = ['front_left_leg', 'hind_left_leg', 'withers', 'tail']
    assert [joint.half for joint in guess_joints(animal)] == ['upper', 'lower', 'upper', 'lower']
    assert {joint.half for joint in guess_joints(['wrist', 'thumb_1', 'thumb_2'])} == {''}  # a hand has no halves
    assert {joint.half for joint in guess_joints(['handle', 'blade', 'tip'])} == {''}


def test_sigmas_are_cocos_where_the_part_is() -> None:
    """0.067 is the mean of COCO's 17: 1.138 / 17."""
    sigmas = guess_sigmas(guess_joints(['nose', 'lKnee', 'rKnee', 'tail', 'left_eye', 'knee_cap']))
    assert sigmas.values == [0.026, 0.087, 0.087, 0.067, 0.025, 0.067]
    assert sigmas.guessed == ['tail', 'knee_cap'] and sigmas.default == 0.067


def test_a_joint_is_the_same_however_it_is_spelt() -> None:
    coco = same_joints(['left_hip', 'right_hip', 'nose'])
    assert coco == ['left hip', 'right hip', ' nose']
    for names in (['Left Hip', 'Right-Hip', 'Nose'], ['lHip', 'rHip', 'nose'], ['hip.L', 'hip.R', 'NOSE']):
        assert same_joints(names) == coco
    assert same_joints(['left_hip', 'tail']) == ['left hip', ' tail']  # one side alone
    assert same_joints(['thumb_1', 'thumb1', 'Tip']) == [
        'thumb_1',
        'thumb1',
        'tip',
    ]  # told apart by their spelling alone
    assert same_joints(['left_hip', 'Left Hip']) == ['left_hip', 'left_hip']
    assert same_joints([]) == []
