"""Skeletons, drawings of them, panels and contact sheets."""

import numpy as np
import pytest

from sdpose.synthetic.people.skeleton import COCO_JOINTS
from sdpose.visualization import Skeleton, contact_sheet, draw_people, sides_of
from sdpose.visualization.panel import draw_panel, window_of
from sdpose.visualization.scaling import evenly_spaced, scaled

SKELETON = Skeleton.by_sides([(5, 7), (6, 8)], sides_of(COCO_JOINTS))


def person(**joints):
    values = np.zeros((17, 3))
    for name, value in joints.items():
        values[int(name[1:])] = value
    return values.ravel().tolist()


def test_left_is_orange_right_is_blue_and_the_picture_is_copied():
    grey = np.full((200, 200, 3), 90, np.uint8)
    drawn = draw_people(grey, [person(j5=(50, 40, 2), j7=(50, 120, 2), j6=(150, 40, 2), j8=(150, 120, 2))], SKELETON)
    blue, _, red = drawn[80, 50].astype(int)
    assert red > blue + 100
    blue, _, red = drawn[80, 150].astype(int)
    assert blue > red + 100
    assert (grey == 90).all() and drawn[80, 100].tolist() == [90, 90, 90]


def test_sides_are_read_from_the_names():
    assert sides_of(['left_hip', 'head', 'right_hip', 'upper_neck']) == ('left', 'middle', 'right', 'middle')
    assert sides_of(['L_Knee', 'RightKnee', 'Root of tail', 'r-eye', 'leftover']) == (
        'left',
        'right',
        'middle',
        'right',
        'left',
    )
    # Names that tell nothing: the first of a pair is taken for left.
    assert sides_of(['kpt-0', 'kpt-1', 'kpt-2'], [2, 1, 0]) == ('left', 'middle', 'right')
    grey = np.full((100, 100, 3), 90, np.uint8)
    # A limb in the middle of the body, and one from the middle to a side, are green.
    for sides in (('middle', 'middle'), ('middle', 'left')):
        blue, green, red = draw_people(grey, [(50, 20, 2, 50, 80, 2)], Skeleton.by_sides([(0, 1)], sides))[
            50, 50
        ].astype(int)
        assert green > red + 50 and green > blue + 50


def test_small_pictures_are_enlarged_with_their_skeletons():
    drawn = draw_people(
        np.full((60, 80, 3), 90, np.uint8), [person(j5=(20, 10, 2), j7=(20, 50, 2))], SKELETON, height=240
    )
    assert drawn.shape == (240, 320, 3)
    # The centre of pixel 20 lies at 20.5 * 4 - 0.5 = 81.5.
    blue, _, red = drawn[120, 81].astype(int)
    assert red > blue + 50 and drawn[120, 76].tolist() == [90, 90, 90]


def test_weak_joints_and_their_limbs_are_left_out():
    grey = np.full((100, 100, 3), 90, np.uint8)
    drawn = draw_people(grey, [person(j5=(50, 20, 0.9), j7=(50, 80, 0.1))], SKELETON, least=0.2)
    assert drawn[50, 50].tolist() == [90, 90, 90] and drawn[20, 50].tolist() != [90, 90, 90]


def test_joints_far_outside_do_no_harm():
    drawn = draw_people(np.zeros((50, 50, 3), np.uint8), [person(j5=(1e9, -1e9, 1), j7=(10, 10, 1))], SKELETON)
    assert drawn.shape == (50, 50, 3)


def test_contact_sheet_places_pictures_row_by_row():
    pictures = [np.full((60, 80, 3), 10 * number, np.uint8) for number in range(1, 7)]
    page = contact_sheet(pictures, width=326, gap=2)
    # Three columns of 106x80 pixels and gaps of 2.
    assert page.shape == (2 * 82 + 2, 326, 3)
    assert [int(page[40 + 82 * row, 50 + 108 * column, 0]) for row in range(2) for column in range(3)] == [
        10,
        20,
        30,
        40,
        50,
        60,
    ]
    assert page[0].min() == 245
    with pytest.raises(ValueError, match='at least one'):
        contact_sheet([])


@pytest.mark.parametrize('shape, height', [((1, 5000, 3), 480), ((5000, 1, 3), 3840)])
def test_a_strip_of_pixels_makes_no_endless_page(shape, height):
    strip = draw_people(np.zeros(shape, np.uint8), [], SKELETON, height=480)
    assert strip.shape[0] <= 5000 and strip.shape[1] <= 5000
    assert contact_sheet([strip], width=1922, gap=1).shape == (height + 2, 1922, 3)


def metainfo(*colors, limb=(0, 255, 0)):
    return dict(
        num_keypoints=3,
        keypoint_id2name={0: 'left_eye', 1: 'right_eye', 2: 'nose'},
        flip_indices=[1, 0, 2],
        skeleton_links=[(0, 2)],
        skeleton_link_colors=np.array([limb], np.uint8),
        keypoint_colors=np.array(colors, np.uint8),
    )


def test_colors_are_the_metainfos_or_those_of_the_sides():
    own = Skeleton.from_metainfo(metainfo((255, 0, 0), (0, 0, 255), (1, 2, 3)))
    # OpenCV has blue first.
    assert own.joint_colors == ((0, 0, 255), (255, 0, 0), (3, 2, 1)) and own.limb_colors == ((0, 255, 0),)
    by_sides = Skeleton.by_sides([(0, 2)], ('left', 'right', 'middle'))
    assert Skeleton.from_metainfo(metainfo(*[(255, 0, 0)] * 3, limb=(255, 0, 0))) == by_sides
    bare = dict(metainfo(), skeleton_links=[], skeleton_link_colors=[], keypoint_colors=[])
    assert Skeleton.from_metainfo(bare) == Skeleton((), (), by_sides.joint_colors)


@pytest.mark.parametrize('ground', [0, 90, 255])
@pytest.mark.parametrize('color', [(0, 255, 0), (0, 0, 120)])
def test_a_line_is_seen_on_any_ground(ground, color):
    skeleton = Skeleton(((0, 1),), (color,), (color, color))
    drawn = draw_people(np.full((400, 400, 3), ground, np.uint8), [(200, 20, 2, 200, 380, 2)], skeleton)
    row = drawn[200].astype(int)
    brightness = row @ [0.114, 0.587, 0.299]
    assert (row == color).all(axis=1).any() and np.ptp(brightness) > 80


def width_at(drawn, row):
    return int((drawn[row] != 90).any(axis=1).sum())


def test_lines_are_as_wide_as_suits_the_person_and_the_limb():
    skeleton = Skeleton.by_sides([(0, 1), (1, 2)], ('middle',) * 3)
    grey = np.full((1000, 1000, 3), 90, np.uint8)
    widths = []
    for size in (40, 400, 900):
        drawn = draw_people(grey, [(500, 50, 2, 500, 50 + size, 2, 500, 50, 0)], skeleton)
        widths.append(width_at(drawn, 50 + size // 2))
    assert widths[0] < widths[1] < widths[2] <= 16
    # A finger beside a body: thin, whatever the body's size.
    drawn = draw_people(grey, [(500, 50, 2, 500, 900, 2, 500, 912, 2)], skeleton)
    assert width_at(drawn, 906) < width_at(drawn, 500)


def test_dense_joints_stay_apart():
    """68 joints of a face, 6 pixels from each other, beside a body of 900: between two of them the ground is seen."""
    face = np.array([(100 + 6 * (number % 10), 100 + 6 * (number // 10), 2) for number in range(68)], float)
    people = [np.concatenate([face, [(500, 50, 2), (500, 950, 2)]]).ravel()]
    skeleton = Skeleton.by_sides([(68, 69)], ('middle',) * 70)
    drawn = draw_people(np.full((1000, 1000, 3), 90, np.uint8), people, skeleton)
    seen = [(drawn[100 + 6 * row + 3, 100 + 6 * column + 3] == 90).all() for row in range(5) for column in range(9)]
    assert all(seen) and (drawn[103, 103] == 90).all() and (drawn[100, 100] != 90).any()


def test_a_score_of_one_is_no_covered_joint():
    grey, skeleton = np.full((60, 60, 3), 90, np.uint8), Skeleton.by_sides([], ('right',))  # blue
    drawn = [draw_people(grey, [(30, 30, 1)], skeleton, flags=flags) for flags in (True, False)]
    assert [bool((each[..., 2] > 150).any()) for each in drawn] == [True, False]


def test_a_window_holds_what_is_shown():
    people = [
        np.array([(100, 100, 2), (0, 0, 0), (140, 180, 2)], float),
        np.array([(300, 20, 0.1), (120, 90, 0.9)], float),
    ]
    # From (100, 90) to (140, 180), with 12 % of 90 pixels around it, or 12 where that is less.
    assert window_of(people, [0.01, 0.2], (240, 320)) == (88, 78, 152, 192)
    assert window_of([], [], (240, 320)) == window_of([np.zeros((3, 3))], [0.01], (240, 320)) == (0, 0, 320, 240)
    assert window_of([np.array([(-1e9, 5, 2), (1e9, float('nan'), 2)])], [0.01], (240, 320)) == (0, 0, 12, 17)


def test_a_panel_has_a_score_over_its_person():
    grey, skeleton = np.full((100, 100, 3), 90, np.uint8), Skeleton.by_sides([(0, 1)], ('middle',) * 2)
    people = [np.array([(50, 60, 0.9), (50, 90, 0.9)])]
    drawn = [draw_panel(grey, (0, 0, 100, 100), people, skeleton, '', 400, scores) for scores in (None, [0.87])]
    assert drawn[0].shape == drawn[1].shape == (426, 400, 3)
    changed = np.argwhere((drawn[0] != drawn[1]).any(axis=2))
    assert len(changed) > 100 and 26 < changed[:, 0].min() and changed[:, 0].max() < 26 + 4 * 60
    assert abs(changed[:, 1].mean() - 200) < 10


def test_pictures_are_scaled_to_whole_pixels() -> None:
    picture = np.zeros((10, 400, 3), np.uint8)
    assert scaled(picture, 0.5).shape == (5, 200, 3) and scaled(picture, 2).shape == (20, 800, 3)
    assert scaled(picture, 0.01).shape == (1, 4, 3)  # none has no rows


@pytest.mark.parametrize('total, most, places', [(9, 3, [0, 4, 8]), (3, 12, [0, 1, 2]), (7, 1, [0]), (0, 4, [])])
def test_examples_are_spread_over_all(total: int, most: int, places: list[int]) -> None:
    assert evenly_spaced(total, most) == places
