"""Outlines against areas and positions known from geometry."""

import cv2
import numpy as np
import pytest

from sdpose.synthetic.drawing.canvas import Canvas
from sdpose.synthetic.drawing.sketch import Sketch
from sdpose.synthetic.drawing.solids import Ellipsoid, capsules
from sdpose.synthetic.people.skeleton import Part


def area(polygon):
    return cv2.contourArea(polygon.astype(np.float32))


def test_capsule_is_a_rectangle_with_two_half_discs():
    (outline,) = capsules(np.array([[10.0, 10.0]]), np.array([[110.0, 10.0]]), np.array([5.0]), np.array([5.0]))
    assert area(outline) == pytest.approx(100 * 10 + np.pi * 25, rel=0.01)
    np.testing.assert_allclose(outline.min(0), (5, 5), atol=1e-9)
    np.testing.assert_allclose(outline.max(0), (115, 15), atol=1e-9)


def test_capsule_of_a_disc_inside_a_disc_is_the_larger_one():
    (outline,) = capsules(np.array([[0.0, 0.0]]), np.array([[2.0, 0.0]]), np.array([10.0]), np.array([3.0]))
    assert area(outline) == pytest.approx(np.pi * 100, rel=0.11)


@pytest.mark.parametrize('axis, share', [((0, 0, 1), 1.0), ((1, 0, 0), 0.5), ((0, -1, 0), 0.5)])
def test_half_sphere_seen_from_the_front_and_from_the_side(axis, share):
    ball = Ellipsoid(np.array([50.0, 50.0]), 20 * np.eye(3))
    assert area(ball.outline()) == pytest.approx(np.pi * 400, rel=0.02)
    assert area(ball.cap(np.array(axis, float), 90)) == pytest.approx(share * np.pi * 400, rel=0.02)


def test_caps_on_the_far_side_shrink_to_crescents_and_vanish():
    ball = Ellipsoid(np.array([0.0, 0.0]), 20 * np.eye(3))
    assert ball.cap(np.array([0.0, 0, -1]), 80) is None
    turned = np.array([np.sin(np.radians(110)), 0, np.cos(np.radians(110))])
    crescent = ball.cap(turned, 66)
    # The cap begins 66 degrees before its axis, at 44 degrees from the viewer, on the right.
    assert crescent[:, 0].min() > 0 and crescent[:, 0].max() == pytest.approx(20, abs=0.1)
    assert 0 < area(crescent) < 0.3 * np.pi * 400


def test_ellipsoid_outline_has_its_half_axes():
    egg = Ellipsoid(np.array([0.0, 0.0]), np.diag([10.0, 30.0, 20.0]))
    np.testing.assert_allclose(egg.outline().max(0), (10, 30), rtol=0.01)
    assert egg.facing(np.array([0.0, 0, 1])) == pytest.approx(1)


def test_nearer_layers_cover_farther_ones():
    canvas, sketch = Canvas(np.zeros((40, 40, 3), np.uint8)), Sketch()
    sketch.layer(Part.TORSO, 0.5).capsule((20, 20), (20, 20), 6, 6, (0, 0, 255))
    sketch.layer(Part.HEAD, -0.5).capsule((20, 20), (20, 20), 12, 12, (255, 0, 0))
    sketch.paint(canvas, 3)
    assert canvas.tags[20, 20] == 3 * 32 + Part.TORSO and canvas.tags[20, 30] == 3 * 32 + Part.HEAD
    assert canvas.image[20, 20].tolist() == [0, 0, 255] and canvas.image[20, 30].tolist() == [255, 0, 0]
    assert canvas.tags[0, 0] == 0


def test_shadow_darkens_its_middle_only():
    canvas = Canvas(np.full((40, 40, 3), 200, np.uint8))
    canvas.darken((20, 20), (10, 5), 0.5)
    assert canvas.image[20, 20, 0] == 100 and canvas.image[20, 35, 0] == 200 and canvas.tags.max() == 0
    canvas.darken((500, 500), (10, 5), 0.5)
