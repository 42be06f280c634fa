"""Scenes: reproducible, and annotated as they are drawn."""

import numpy as np
import pytest

from sdpose.synthetic import LEVELS, draw_scene
from sdpose.synthetic.drawing.canvas import PERSON_STRIDE, Canvas
from sdpose.synthetic.people.annotate import annotate
from sdpose.synthetic.people.camera import View
from sdpose.synthetic.people.person import sample_person
from sdpose.synthetic.people.skeleton import ADJOINING, COCO_17, JOINT_INDEX, JOINTS

SIZE = (320, 240)
SWAP = [JOINT_INDEX[name.replace('left', '#').replace('right', 'left').replace('#', 'right')] for name in JOINTS]
FACE = [JOINT_INDEX[name] for name in ('nose', 'left_eye', 'right_eye')]


@pytest.fixture(scope='module', params=list(LEVELS))
def scenes(request):
    return request.param, [draw_scene(request.param, SIZE, 11, index) for index in range(16)]


def painted(view, seed=4, family='stand', person=None):
    canvas = Canvas(np.full((240, 320, 3), 128, np.uint8))
    person = person or sample_person(np.random.default_rng(seed), family)
    body = person.body(view)
    person.paint(canvas, body, view, 1)
    return canvas, body, person


def test_same_seed_same_bytes():
    first, again, other = (draw_scene('normal', SIZE, *seed) for seed in ((1, 0, 2), (1, 0, 2), (1, 0, 3)))
    assert first.jpeg() == again.jpeg() and first.jpeg() != other.jpeg()
    np.testing.assert_array_equal(first.tags, again.tags)


def test_visible_joints_lie_on_an_adjoining_part_of_their_person(scenes):
    seen = 0
    for scene in scenes[1]:
        for person in scene.annotations:
            for joint, (x, y, flag) in enumerate(person.joints):
                if flag == 2:
                    number, part = divmod(int(scene.tags[round(y), round(x)]), PERSON_STRIDE)
                    assert number == person.number and part in ADJOINING[joint], (JOINTS[joint], number, part)
                    seen += 1
    assert seen > 100


def test_boxes_and_areas_are_those_of_the_visible_pixels(scenes):
    for scene in scenes[1]:
        for person in scene.annotations:
            rows, columns = np.nonzero(scene.tags // PERSON_STRIDE == person.number)
            x, y, w, h = person.box
            assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == (x, y, x + w, y + h)
            assert person.area == len(rows)


def test_flags_keep_their_meaning_and_their_proportions(scenes):
    level, drawn = scenes
    joints = np.concatenate([person.joints[None, list(COCO_17)] for scene in drawn for person in scene.annotations])
    assert not joints[joints[..., 2] == 0].any()
    x, y = joints[joints[..., 2] > 0][:, :2].T
    assert x.min() > -0.5 and y.min() > -0.5 and x.max() < 319.5 and y.max() < 239.5
    visible = (joints[..., 2] == 2).mean()
    low, high = dict(starter=(0.8, 0.97), normal=(0.5, 0.85), hard=(0.35, 0.75), crowd=(0.45, 0.85))[level]
    assert low < visible < high


def test_hard_is_harder_than_normal():
    def people(level):
        return [person for index in range(16) for person in draw_scene(level, SIZE, 2, index).annotations]

    normal, hard = people('normal'), people('hard')
    assert len(hard) > len(normal)
    assert np.median([person.area for person in hard]) < 0.7 * np.median([person.area for person in normal])


@pytest.mark.parametrize('yaw', [0, 40, -100, 180])
@pytest.mark.parametrize('family', ['walk', 'free'])
def test_a_mirrored_picture_swaps_left_and_right(yaw, family):
    view = View((130, 225), 200, yaw, 4, 6)
    canvas, body, person = painted(view, family=family)
    seen, mirror_body, _ = painted(view.mirrored(320), person=person.mirrored())
    pixels, swapped = view.project(body.joints), view.mirrored(320).project(mirror_body.joints)[SWAP]
    np.testing.assert_allclose(swapped, pixels * (-1, 1) + (319, 0), atol=1e-6)
    ours, theirs = canvas.tags > 0, seen.tags[:, ::-1] > 0
    assert (ours & theirs).sum() / (ours | theirs).sum() > 0.97


def test_a_person_alone_from_the_front_is_all_visible():
    view = View((160, 230), 210)
    for seed in range(5):
        canvas, body, person = painted(view, seed, 'walk')
        (found,) = annotate(canvas.tags, [(body, view)])
        assert (found.joints[list(COCO_17)[5:], 2] == 2).mean() > 0.7
        assert found.joints[JOINT_INDEX['left_shoulder'], 0] > found.joints[JOINT_INDEX['right_shoulder'], 0]


def test_nobody_can_see_a_face_from_behind():
    view = View((160, 230), 210, yaw=180)
    canvas, body, _ = painted(view, 1, 'walk')
    (found,) = annotate(canvas.tags, [(body, view)])
    assert not found.joints[FACE].any()


def test_covered_joints_get_flag_1_and_outside_ones_0():
    view = View((160, 230), 210)
    canvas, body, _ = painted(view, 1, 'walk')
    knee = view.project(body.joint('left_knee'))
    canvas.rect(knee[0] - 5, knee[1] - 5, knee[0] + 5, knee[1] + 5, (0, 0, 0), 0)
    (found,) = annotate(canvas.tags, [(body, view)])
    assert found.joints[JOINT_INDEX['left_knee'], 2] == 1
    cropped = annotate(canvas.tags[:150].copy(), [(body, view)])[0]
    assert not cropped.joints[JOINT_INDEX['left_ankle']].any() and cropped.joints[JOINT_INDEX['left_shoulder'], 2] == 2


def test_hardly_visible_people_keep_a_box_but_no_joints():
    view = View((160, 230), 210)
    canvas, body, _ = painted(view)
    canvas.rect(0, 0, 319, 215, (0, 0, 0), 0)
    (found,) = annotate(canvas.tags, [(body, view)])
    assert found.area > 0 and not found.joints.any()
    canvas.rect(0, 0, 319, 239, (0, 0, 0), 0)
    assert annotate(canvas.tags, [(body, view)]) == ()
