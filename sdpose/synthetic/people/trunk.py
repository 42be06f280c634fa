"""Torso, pelvis, skirt and neck of a person, with textured cloth and details of the front."""

import cv2
import numpy as np

from sdpose.synthetic.drawing.canvas import Canvas, Color
from sdpose.synthetic.drawing.sketch import LIGHT, Layer, Sketch

from .appearance import Look, shade
from .camera import View
from .kinematics import Body
from .skeleton import Part

_TURN = np.linspace(0, 2 * np.pi, 16, endpoint=False)
_CIRCLE = np.stack([np.cos(_TURN), np.zeros(16), np.sin(_TURN)], 1)


class Trunk:
    """Elliptic cross-sections of the trunk from hem to neck, in camera axes.

    Attributes:
        centres: (6, 3) from the hips to the base of the neck.
        axes: (6, 2) half width and half depth in statures.
        frames: Per section its 3x3 frame.
    """

    def __init__(self, body: Body, look: Look) -> None:
        size, frames = body.proportions, body.frames
        pelvis, middle, thorax = body.joint('pelvis'), body.points['middle'], body.joint('thorax')
        chest, girth = frames['chest'], size.girth
        hips = size.half_hips + 0.042 * girth
        self.frames = [frames['pelvis'], frames['pelvis'], frames['waist'], chest, chest, chest]
        self.centres = np.stack(
            [
                pelvis - frames['pelvis'][:, 1] * 0.005,
                pelvis + (middle - pelvis) * 0.30,
                middle,
                thorax - chest[:, 1] * 0.075,
                thorax,
                thorax + chest[:, 1] * 0.030,
            ]
        )
        self.axes = np.array(
            [
                (hips, 0.058 * girth),
                (hips * 0.98, 0.058 * girth),
                ((0.078 + 0.005 * look.broad) * girth, 0.050 * girth),
                (size.half_shoulders * 0.93, 0.062 * girth),
                (size.half_shoulders + 0.002, 0.040 * girth),
                (0.038, 0.032),
            ]
        )

    def rings(self) -> np.ndarray:
        """(6, 16, 3) points of the cross-sections."""
        sections = zip(self.centres, self.axes, self.frames, strict=True)
        return np.stack(
            [centre + (_CIRCLE * (width, 0, depth)) @ frame.T for centre, (width, depth), frame in sections]
        )

    def front(self, points: list[tuple[float, float]]) -> np.ndarray:
        """Points (n, 3) of the front: across from -1 (own right) to 1 (left), up from 0 (hem) to 1 (neck)."""
        result = []
        for across, up in points:
            place = 1 + up * 4
            low = min(4, int(place))
            part = place - low
            local = [
                centre + frame @ (across * width, 0, (1 - across * across) ** 0.5 * depth)
                for centre, frame, (width, depth) in (
                    (self.centres[k], self.frames[k], self.axes[k]) for k in (low, low + 1)
                )
            ]
            result.append(local[0] * (1 - part) + local[1] * part)
        return np.stack(result)


def _cloth_layer(layer: Layer, rings: np.ndarray, tile: np.ndarray, rim: Color, width: float) -> None:
    """Adds the torso: hulls of neighbouring sections filled with the warped tile."""
    hulls = [cv2.convexHull(rings[k : k + 2].reshape(-1, 2).astype(np.float32))[:, 0] for k in range(len(rings) - 1)]
    top, bottom = rings[-2].mean(0), rings[0].mean(0)
    axis = bottom - top
    length = max(float(np.hypot(*axis)), 1.0)
    across = np.array([axis[1], -axis[0]]) / length
    across = across if across[0] >= 0 else -across
    half = max(2.0, 1.05 * float(np.abs((rings[1:4].reshape(-1, 2) - top) @ across).max()))

    def paint(canvas: Canvas, tag: int) -> None:
        both = np.concatenate(hulls)
        x0, y0 = np.maximum(np.floor(both.min(0)) - 3, 0).astype(int)
        x1, y1 = np.minimum(np.ceil(both.max(0)) + 4, canvas.size).astype(int)
        if x1 <= x0 or y1 <= y0:
            return
        patch, origin = canvas.image[y0:y1, x0:x1], np.array([x0, y0])
        outlines = [np.rint((hull - origin) * 16).astype(np.int32) for hull in hulls]
        cv2.polylines(patch, outlines, True, rim, max(1, round(width)), cv2.LINE_AA, 4)
        mask = np.zeros(patch.shape[:2], np.uint8)
        for outline in outlines:
            cv2.fillConvexPoly(mask, outline, 255, cv2.LINE_8, 4)
        source = np.array([(23.5, 0), (23.5, 47), (47, 0)], np.float32)
        target = np.stack([top, bottom, top + across * half]).astype(np.float32) - origin
        warped = cv2.warpAffine(
            tile,
            cv2.getAffineTransform(source, target.astype(np.float32)),
            (x1 - x0, y1 - y0),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT_101,
        )
        cv2.copyTo(warped, mask, patch)
        canvas.tags[y0:y1, x0:x1][mask > 0] = tag

    layer.call(paint)


def _strip(layer: Layer, pixels: np.ndarray, color: Color) -> None:
    layer.call(lambda canvas, tag: canvas.fill_any(pixels, color, tag))


def _front_details(layer: Layer, trunk: Trunk, view: View, look: Look, scale: float) -> None:
    """Neckline, collar, buttons or an open jacket: what tells front from back."""

    def on(points: list[tuple[float, float]]) -> np.ndarray:
        return view.project(trunk.front(points))

    if look.jacket is not None:
        _strip(
            layer,
            on([(-0.34, 0.80), (-0.3, 0.4), (-0.36, 0), (0.36, 0), (0.3, 0.4), (0.34, 0.80), (0.5, 1), (-0.5, 1)]),
            shade(look.jacket, 0.6),
        )
        _strip(
            layer,
            on([(-0.28, 0.80), (-0.24, 0.4), (-0.3, 0), (0.3, 0), (0.24, 0.4), (0.28, 0.80), (0.42, 1), (-0.42, 1)]),
            look.top2,
        )
    inner = look.top2 if look.jacket is not None else look.top
    depth = {'crew': 0.90, 'v': 0.76, 'shirt': 0.83, 'hood': 0.88}[look.collar]
    edge = [(-0.75, 1.0), (-0.42, 0.93), (0, depth), (0.42, 0.93), (0.75, 1.0)]
    _strip(layer, on([(a * 1.12, u - 0.025) if abs(a) < 0.7 else (a, u) for a, u in edge]), shade(inner, 0.66))
    _strip(layer, on(edge), shade(look.skin, 0.88))
    if look.collar == 'shirt' and look.jacket is None:
        dots = on([(0, u) for u in (0.80, 0.62, 0.44, 0.26, 0.08)])
        layer.call(lambda canvas, tag: canvas.line(dots[0], dots[-1], shade(inner, 0.7), max(1.0, 0.004 * scale)))
        for x, y in dots[1:-1]:
            layer.capsule((x, y), (x, y), 0.0042 * scale, 0.0042 * scale, shade(inner, 0.5))
        for sign in (-1, 1):
            _strip(
                layer,
                on([(sign * 0.75, 1.0), (0, depth + 0.01), (sign * 0.22, depth - 0.07), (sign * 0.48, 0.90)]),
                shade(inner, 1.18),
            )
    if look.collar == 'hood' and look.jacket is None:
        _strip(layer, on([(-0.3, 0.36), (-0.5, 0.10), (0.5, 0.10), (0.3, 0.36)]), shade(inner, 0.82))


def draw_trunk(sketch: Sketch, body: Body, view: View, look: Look) -> None:
    """Adds neck, torso and pelvis."""
    trunk = Trunk(body, look)
    rings = view.project(trunk.rings())
    scale, depth = view.height, float(trunk.centres[2:4, 2].mean())
    neck = view.project(
        np.stack([body.joint('thorax'), body.joint('upper_neck') + body.frames['head'][:, 1] * 0.02])
    ).tolist()
    sketch.layer(Part.NECK, depth - 0.001).limb(
        neck[0], neck[1], ((0, 0.034 * scale), (0.5, 0.0265 * scale), (1, 0.026 * scale)), shade(look.skin, 0.88)
    )
    cloth = look.jacket or look.top
    layer = sketch.layer(Part.TORSO, depth)
    _cloth_layer(layer, rings[1:], look.tile, shade(cloth, 0.5), max(1.0, 0.009 * scale))
    facing = float(trunk.frames[3][2, 2])
    if facing > 0.12:
        _front_details(layer, trunk, view, look, scale)
    elif look.backpack is not None and facing < -0.3:
        _backpack(layer, trunk, view, look.backpack, scale)
    _draw_pelvis(sketch, body, view, look, rings, float(trunk.centres[0, 2]))


def _backpack(layer: Layer, trunk: Trunk, view: View, color: Color, scale: float) -> None:
    """A backpack on a back that faces the viewer."""
    chest = trunk.frames[3]
    corners = [trunk.centres[3] + chest @ (x, y, -0.10) for x, y in ((0, 0.045), (0, -0.12))]
    (ax, ay), (bx, by) = view.project(np.stack(corners)).tolist()
    layer.limb((ax, ay), (bx, by), ((0, 0.062 * scale), (1, 0.078 * scale)), color)
    layer.limb(
        (bx + (ax - bx) * 0.2, by + (ay - by) * 0.2),
        (bx, by),
        ((0, 0.045 * scale), (1, 0.048 * scale)),
        shade(color, 0.9),
    )


def _draw_pelvis(sketch: Sketch, body: Body, view: View, look: Look, rings: np.ndarray, depth: float) -> None:
    """Adds the seat of the trousers and, if worn, the skirt."""
    hips = np.stack([body.joint('left_hip'), body.joint('right_hip')])
    radius = (view.scale(hips) * 0.054 * body.proportions.girth)[:, None, None]
    discs = view.project(hips)[:, None] + radius * np.stack([np.cos(_TURN), np.sin(_TURN)], 1)
    block = cv2.convexHull(np.concatenate([rings[:2].reshape(-1, 2), discs.reshape(-1, 2)]).astype(np.float32))[:, 0]
    centre = block.mean(0)
    light = np.array(LIGHT) * 0.006 * view.height
    layer = sketch.layer(Part.PELVIS, depth - 0.12)
    layer.polygon(centre + (block - centre) * 1.03, shade(look.bottom, 0.5))
    layer.polygon(block, look.bottom)
    if look.skirt <= 0:
        return
    knees = np.stack([body.joint('left_knee'), body.joint('right_knee')])
    hem_at = hips + (knees - hips) * look.skirt
    hem = view.project(hem_at)[:, None] + 1.35 * radius * np.stack([np.cos(_TURN), 0.3 * np.sin(_TURN)], 1)
    shape = cv2.convexHull(np.concatenate([rings[:2].reshape(-1, 2), hem.reshape(-1, 2)]).astype(np.float32))[:, 0]
    centre = shape.mean(0)
    cover = sketch.layer(Part.SKIRT, float(max(np.concatenate([hips, hem_at])[:, 2].max(), depth)) + 0.02)
    cover.polygon(centre + (shape - centre) * 1.02, shade(look.bottom, 0.5))
    cover.polygon(shape, shade(look.bottom, 0.82))
    cover.polygon(centre + (shape - centre) * 0.93 + light, look.bottom)
