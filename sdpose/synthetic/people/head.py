"""Head of a person: skull, jaw, hair, face, hat and glasses."""

import cv2
import numpy as np

from sdpose.synthetic.drawing.canvas import Canvas, Color
from sdpose.synthetic.drawing.sketch import Layer, Sketch
from sdpose.synthetic.drawing.solids import Ellipsoid

from .appearance import Look, shade
from .camera import View
from .kinematics import Body
from .skeleton import Part

_FACE_AXIS = np.array([0.0, -0.42, 0.91])
_RING = np.linspace(0, 2 * np.pi, 14, endpoint=False)
_FINE_FACE = 9.0  # head radius in pixels from which eyes have whites and brows


class _Face:
    """Skull and jaw of one head, with strokes given in units of the skull's half axes."""

    def __init__(self, body: Body, view: View) -> None:
        frame = body.frames['head']
        self.scale = float(view.scale(body.points['head']))
        self.radius = body.head_axes[1] * self.scale
        shape = frame * (body.head_axes * self.scale)
        self.centre = view.project(body.points['head'])
        self.space = Ellipsoid(self.centre, shape)
        self.skull = Ellipsoid(self.space.pixels(np.array([0, 0.14, -0.05])), shape * (1.0, 0.86, 1.0))
        self.jaw = Ellipsoid(self.space.pixels(np.array([0, -0.36, 0.16])), shape * (0.74, 0.64, 0.72))
        self.forward = float(frame[2, 2])

    def at(self, *point: float) -> np.ndarray:
        """Pixel of a point."""
        return self.space.pixels(np.array(point))

    def patch(self, centre: np.ndarray, width: float, height: float) -> np.ndarray:
        """A small ellipse on the face, foreshortened as the head turns."""
        ring = np.stack([width * np.cos(_RING), height * np.sin(_RING), np.zeros(14)], 1)
        ring[:, 2] = -0.7 * ring[:, 0] * centre[0]
        return self.space.pixels(centre + ring)


def _eyes(layer: Layer, face: _Face, look: Look) -> None:
    """Eyes with lids and brows on a large head, dots on a small one."""
    dark = shade(look.hair if sum(look.hair) < 330 else (50, 60, 80), 0.8)
    for sign in (1, -1):
        centre = np.array([sign * 0.36, 0.08, 0.90])
        if face.space.facing(centre / np.linalg.norm(centre)) < 0.16:
            continue
        if face.radius < _FINE_FACE:
            layer.polygon(face.patch(centre, 0.13, 0.12), (28, 24, 26))
            continue
        layer.polygon(face.patch(centre + (0, 0.035, 0), 0.20, 0.105), shade(look.skin, 0.70))
        layer.polygon(face.patch(centre, 0.165, 0.075), (226, 230, 232))
        layer.polygon(face.patch(centre + (0, 0.005, 0.01), 0.078, 0.078), shade(look.eyes, 0.7))
        brow = [face.at(sign * x, y, z) for x, y, z in ((0.17, 0.29, 0.95), (0.38, 0.345, 0.88), (0.56, 0.28, 0.76))]
        size = 0.040 * face.radius
        layer.capsule(brow[0], brow[1], size, size, dark)
        layer.capsule(brow[1], brow[2], size, 0.6 * size, dark)


def _nose_and_mouth(layer: Layer, face: _Face, look: Look, smile: float) -> None:
    """Nose, mouth and beard."""
    unit = face.radius
    if face.forward > -0.15:
        layer.capsule(
            face.at(0, 0.06, 0.96), face.at(0, -0.18, 1.03), 0.06 * unit, 0.115 * unit, shade(look.skin, 0.80)
        )
        layer.capsule(
            face.at(-0.02, 0.08, 0.97), face.at(-0.02, -0.155, 1.04), 0.05 * unit, 0.085 * unit, shade(look.skin, 1.03)
        )
    if face.forward < 0.1:
        return
    if look.beard:
        cap = face.jaw.cap(np.array([0, -0.75, 0.66]), 52, 1.03)
        if cap is not None:
            layer.call(lambda canvas, tag: canvas.fill_any(cap, shade(look.hair, 1.08), tag))
    lips = shade(np.array(look.skin) * (0.70, 0.66, 0.86), 0.92)
    corners = [face.at(x, -0.55 + (smile if x else 0), 0.80 + (0 if x else 0.06)) for x in (-0.22, 0, 0.22)]
    corners[1] = face.at(0, -0.58 - smile * 0.6, 0.86)
    size = max(0.45, 0.048 * unit)
    layer.capsule(corners[0], corners[1], 0.5 * size, size, lips)
    layer.capsule(corners[1], corners[2], size, 0.5 * size, lips)


def _ears(layer: Layer, face: _Face, skin: Color) -> None:
    for sign in (1, -1):
        centre = np.array([sign * 0.97, 0.0, -0.04])
        if face.space.facing(centre) > -0.35:
            a, b = face.at(sign * 0.98, 0.09, -0.05), face.at(sign * 0.94, -0.10, -0.02)
            layer.capsule(a, b, 0.165 * face.radius, 0.115 * face.radius, shade(skin, 0.62))
            layer.capsule(a, b, 0.13 * face.radius, 0.085 * face.radius, shade(skin, 0.92))


def _cap(layer: Layer, ellipsoid: Ellipsoid, axis: np.ndarray, degrees: float, color: Color, grow: float = 1.0) -> None:
    polygon = ellipsoid.cap(axis, degrees, grow)
    if polygon is not None:
        layer.call(lambda canvas, tag: canvas.fill_any(polygon, color, tag))


def _hair_mass(sketch: Sketch, face: _Face, body: Body, view: View, look: Look) -> None:
    """Adds hair that hangs behind the head: long hair, a bob, a pony tail or a bun."""
    frame, centre, size = body.frames['head'], body.points['head'], body.head_axes
    back, down = -frame[:, 2] * size[2], np.array([0, -1.0, 0]) * 0.65 - frame[:, 1] * 0.35
    lengths = {
        'bob': (0.55, 0.75, 1.02, 0.84),
        'long': (0.55, 1.85, 1.02, 0.66),
        'ponytail': (1.15, 1.5, 0.30, 0.14),
        'bun': (1.12, 0.0, 0.40, 0.40),
    }
    if look.hair_style not in lengths:
        return
    behind, drop, r0, r1 = lengths[look.hair_style]
    start = centre + back * behind + frame[:, 1] * size[1] * (0.35 if look.hair_style in ('ponytail', 'bun') else 0.1)
    end = start + down * size[1] * drop
    pixel = view.project(np.stack([start, end])).tolist()
    layer = sketch.layer(Part.HAIR, float(start[2]) - 0.07 * face.forward)
    layer.limb(
        pixel[0], pixel[1], ((0, r0 * size[0] * 1.12 * face.scale), (1, r1 * size[0] * 1.12 * face.scale)), look.hair
    )


def _hat(layer: Layer, face: _Face, color: Color) -> None:
    """A cap with its peak, which points forward."""
    peak = [face.at(x, 0.40, z) for x, z in ((-0.62, 0.75), (-0.45, 1.30), (0.45, 1.30), (0.62, 0.75))]
    hull = cv2.convexHull(np.array(peak, np.float32))[:, 0]
    if face.forward > -0.2:
        _cap(layer, face.skull, np.array([0, 0.95, -0.12]), 79, color, 1.10)
        layer.polygon(hull, shade(color, 0.72))
    else:
        layer.polygon(hull, shade(color, 0.72))
        _cap(layer, face.skull, np.array([0, 0.95, -0.12]), 79, color, 1.10)


def _glasses(layer: Layer, face: _Face) -> None:
    rings = [
        np.rint(face.patch(np.array([sign * 0.36, 0.06, 0.96]), 0.24, 0.20) * 16).astype(np.int32) for sign in (1, -1)
    ]

    def paint(canvas: Canvas, tag: int) -> None:
        cv2.polylines(canvas.image, rings, True, (40, 38, 40), max(1, round(0.05 * face.radius)), cv2.LINE_AA, 4)
        canvas.line(face.at(0.12, 0.06, 0.98), face.at(-0.12, 0.06, 0.98), (40, 38, 40), 0.05 * face.radius)

    layer.call(paint)


def _skull(layer: Layer, face: _Face, look: Look, hairline: float) -> None:
    """Jaw, skull, hair and the skin of the face."""
    bald = look.hair_style == 'bald'
    layer.polygon(face.jaw.outline(1.05), shade(look.skin, 0.55))
    layer.polygon(face.jaw.outline(), shade(look.skin, 0.90 if face.forward > 0 else 0.84))
    layer.polygon(face.skull.outline(1.03 if bald else 1.11), shade(look.skin if bald else look.hair, 0.55))
    layer.polygon(face.skull.outline(1.0 if bald else 1.07), shade(look.skin, 0.9) if bald else look.hair)
    if not bald:
        _cap(layer, face.skull, np.array([-0.45, 0.8, 0.3]), 34, shade(look.hair, 1.22), 1.04)
    _ears(layer, face, look.skin)
    if face.forward > -0.35:
        _cap(layer, face.skull, _FACE_AXIS, hairline, look.skin)
        _cap(layer, face.jaw, np.array([0, -0.25, 0.97]), 84, look.skin, 0.97)


def draw_head(sketch: Sketch, body: Body, view: View, look: Look, smile: float, hairline: float) -> None:
    """Adds the head.

    Args:
        smile: Height of the mouth's corners, 0 for a straight mouth.
        hairline: Angular radius of the face in degrees, about 66.
    """
    face = _Face(body, view)
    _hair_mass(sketch, face, body, view, look)
    layer = sketch.layer(Part.HEAD, float(body.points['head'][2]) + 0.02)
    _skull(layer, face, look, hairline)
    if face.forward > -0.3:
        _eyes(layer, face, look)
        _nose_and_mouth(layer, face, look, smile)
    if look.glasses and face.forward > 0.35 and face.radius >= _FINE_FACE:
        _glasses(layer, face)
    if look.hat is not None:
        _hat(layer, face, look.hat)
