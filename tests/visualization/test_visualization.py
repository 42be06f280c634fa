"""Skeleton drawings, contact sheets and pages of predictions."""

import json

import cv2
import numpy as np
import pytest

from sdpose.errors import DataError
from sdpose.synthetic.people.skeleton import COCO_JOINTS
from sdpose.visualization import contact_sheet, draw_people, draw_predictions, sides_of

LIMBS, SIDES = [(5, 7), (6, 8)], sides_of(COCO_JOINTS)


def person(**joints):
    values = np.zeros((17, 3))
    for name, value in joints.items():
        values[int(name[1:])] = value
    return values.ravel().tolist()


def test_left_is_orange_right_is_blue_and_the_picture_is_copied():
    grey = np.full((200, 200, 3), 90, np.uint8)
    drawn = draw_people(
        grey, [person(j5=(50, 40, 2), j7=(50, 120, 2), j6=(150, 40, 2), j8=(150, 120, 2))], LIMBS, SIDES
    )
    blue, _, red = drawn[80, 50].astype(int)
    assert red > blue + 100
    blue, _, red = drawn[80, 150].astype(int)
    assert blue > red + 100
    assert (grey == 90).all() and drawn[80, 100].tolist() == [90, 90, 90]


def test_sides_are_read_from_the_names():
    assert sides_of(['left_hip', 'head', 'right_hip', 'upper_neck']) == ('left', 'middle', 'right', 'middle')
    grey = np.full((100, 100, 3), 90, np.uint8)
    # A limb in the middle of the body, and one from the middle to a side, are green.
    for sides in (('middle', 'middle'), ('middle', 'left')):
        blue, green, red = draw_people(grey, [(50, 20, 2, 50, 80, 2)], [(0, 1)], sides)[50, 50].astype(int)
        assert green > red + 50 and green > blue + 50


def test_small_pictures_are_enlarged_with_their_skeletons():
    drawn = draw_people(
        np.full((60, 80, 3), 90, np.uint8), [person(j5=(20, 10, 2), j7=(20, 50, 2))], LIMBS, SIDES, height=240
    )
    assert drawn.shape == (240, 320, 3)
    # The centre of pixel 20 lies at 20.5 * 4 - 0.5 = 81.5.
    blue, _, red = drawn[120, 81].astype(int)
    assert red > blue + 50 and drawn[120, 76].tolist() == [90, 90, 90]


def test_weak_joints_and_their_limbs_are_left_out():
    grey = np.full((100, 100, 3), 90, np.uint8)
    drawn = draw_people(grey, [person(j5=(50, 20, 0.9), j7=(50, 80, 0.1))], LIMBS, SIDES, least=0.2)
    assert drawn[50, 50].tolist() == [90, 90, 90] and drawn[20, 50].tolist() != [90, 90, 90]


def test_joints_far_outside_do_no_harm():
    drawn = draw_people(np.zeros((50, 50, 3), np.uint8), [person(j5=(1e9, -1e9, 1), j7=(10, 10, 1))], LIMBS, SIDES)
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
    strip = draw_people(np.zeros(shape, np.uint8), [], [], (), height=480)
    assert strip.shape[0] <= 5000 and strip.shape[1] <= 5000
    assert contact_sheet([strip], width=1922, gap=1).shape == (height + 2, 1922, 3)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / 'images').mkdir()
    for name in ('a.png', 'b.png'):
        cv2.imwrite(str(tmp_path / 'images' / name), np.full((100, 100, 3), 90, np.uint8))
    truth = dict(
        images=[dict(id=1, file_name='a.png'), dict(id=2, file_name='b.png')],
        annotations=[],
        categories=[dict(id=1, keypoints=list(COCO_JOINTS), skeleton=[[6, 8]])],
    )
    (tmp_path / 'truth.json').write_text(json.dumps(truth))
    results = [dict(image_id=2, category_id=1, score=0.9, keypoints=person(j5=(50, 20, 1), j7=(50, 80, 1)))]
    (tmp_path / 'results.json').write_text(json.dumps(results))
    return tmp_path


def draw(folder, **options):
    return draw_predictions(
        folder / 'truth.json', folder / 'images', folder / 'results.json', folder / 'new' / 'page.png', **options
    )


def test_predictions_are_drawn_on_their_picture(folder):
    page = cv2.imread(str(draw(folder)))
    assert page.shape[1] == 1920
    # The limb runs down the middle of the only picture; its column moves by half a pixel of the small picture.
    middle = page[page.shape[0] // 2, 950:985].astype(int)
    assert (middle[:, 2] - middle[:, 0]).max() > 100 and (middle[0] == 90).all()


@pytest.mark.parametrize(
    'spoil, message',
    [
        (lambda f: (f / 'results.json').write_text('[{'), 'result file .*results.json cannot be read'),
        (lambda f: (f / 'truth.json').unlink(), 'annotation file .*truth.json cannot be read'),
        (lambda f: (f / 'images' / 'b.png').write_bytes(b'x'), 'b.png cannot be read as a picture'),
        (lambda f: (f / 'results.json').write_text('[]'), 'has no person with a score of 0.2'),
    ],
)
def test_broken_input_is_named_and_nothing_is_written(folder, spoil, message):
    spoil(folder)
    with pytest.raises(DataError, match=message):
        draw(folder)
    assert not (folder / 'new').exists()
