"""Arms, legs, hands and feet of a person, with sleeves, trousers and shoes."""

import numpy as np

from sdpose.synthetic.drawing.canvas import Color, Pixel
from sdpose.synthetic.drawing.sketch import Layer, Profile, Sketch

from .appearance import Look, shade
from .camera import View
from .kinematics import Body
from .skeleton import Part

_PROFILES = dict(
    upper_arm=((0, 0.0285), (0.35, 0.028), (1, 0.0215)),
    forearm=((0, 0.022), (0.25, 0.0245), (1, 0.0145)),
    thigh=((0, 0.050), (0.35, 0.049), (1, 0.034)),
    shank=((0, 0.0335), (0.3, 0.036), (1, 0.0205)),
)
"""Radii along each segment in statures."""
_FINGER_DETAIL = 200.0  # pixels per stature from which single fingers are more than a smudge


def _between(profile: Profile, start: float, end: float, scale: float) -> Profile:
    """The part of a profile from ``start`` to ``end``, radii times ``scale``."""
    at, radius = np.array(profile).T
    stops = [start] + [t for t, _ in profile if start < t < end] + [end]
    return [(t, float(np.interp(t, at, radius)) * scale) for t in stops]


def _clothed(
    layer: Layer,
    start: Pixel,
    end: Pixel,
    profile: Profile,
    scale: float,
    skin: Color,
    cloth: Color,
    covered: float,
    merge: float = 0.3,
) -> None:
    """A limb of which the first ``covered`` fraction lies under cloth."""
    if covered < 0.97:
        layer.limb(
            start, end, _between(profile, max(0.0, covered - 0.15), 1.0, scale), skin, merge if covered <= 0 else 0, 0.9
        )
    if covered > 0:
        last = min(1.0, covered)
        layer.limb(
            start, end, _between(profile, 0.0, last, 1.13 * scale), cloth, merge, 1.0 if last < 1 else 0.9, last < 1
        )


def _hand(sketch: Sketch, body: Body, view: View, side: str, skin: Color, depth: float, grip: float) -> None:
    """Palm, thumb and, on a large enough person, fingers; ``grip`` 0 is open, 1 a fist."""
    sign, size = (1 if side == 'left' else -1), body.proportions
    frame, wrist = body.frames[f'{side}_hand'], body.joint(f'{side}_wrist')
    down, front, out = -frame[:, 1], frame[:, 2], frame[:, 0] * sign
    length = size.hand
    knuckles = wrist + down * length * 0.5
    thumb = wrist + down * 0.22 * length + front * 0.12 * length
    spread = np.array([(-1.2 + 0.8 * k) * 0.085 * length for k in range(4)])
    base = knuckles + spread[:, None] * front
    tips = base + (down * (1 - 0.75 * grip) - out * 0.7 * grip) * length * 0.47 + 0.35 * spread[:, None] * front
    points = np.concatenate(
        [[wrist, knuckles, thumb, thumb + down * 0.26 * length + front * (0.20 - 0.12 * grip) * length], base, tips]
    )
    pixel = view.project(points).tolist()
    scale = float(view.scale(wrist)) * size.girth**0.5
    layer = sketch.layer(Part[f'{side}_hand'.upper()], depth)
    if view.height > _FINGER_DETAIL:
        for k in range(4):
            layer.limb(pixel[4 + k], pixel[8 + k], ((0, 0.0062 * scale), (1, 0.0050 * scale)), skin, 0.25)
        layer.limb(pixel[2], pixel[3], ((0, 0.0078 * scale), (1, 0.0052 * scale)), skin)
        layer.limb(pixel[0], pixel[1], ((0, 0.0135 * scale), (1, 0.0165 * scale)), skin, 0.9)
    else:
        tip = np.mean(pixel[8:], axis=0).tolist()
        layer.limb(pixel[2], pixel[3], ((0, 0.0085 * scale), (1, 0.0060 * scale)), skin)
        layer.limb(pixel[0], tip, ((0, 0.0135 * scale), (0.5, 0.0175 * scale), (0.85, 0.0125 * scale)), skin, 0.3)


def _foot(sketch: Sketch, body: Body, view: View, side: str, look: Look, depth: float) -> None:
    """A shoe with its sole."""
    up = body.frames[f'{side}_foot'][:, 1]
    heel, toe, ankle = body.points[f'{side}_heel'], body.points[f'{side}_toe'], body.joint(f'{side}_ankle')
    ball = heel + 0.66 * (toe - heel)
    instep = ankle + 0.3 * (ball - ankle) + up * 0.002
    pixel = view.project(np.stack([heel - up * 0.008, toe - up * 0.008, heel, ball, toe, ankle, instep])).tolist()
    scale = float(view.scale(ankle)) * body.proportions.girth**0.5
    layer = sketch.layer(Part[f'{side}_foot'.upper()], depth)
    sole = shade(look.shoe, 0.45) if sum(look.shoe) > 380 else (222, 226, 228)
    layer.capsule(pixel[0], pixel[1], 0.0215 * scale, 0.0165 * scale, shade(look.shoe, 0.4))
    layer.capsule(pixel[0], pixel[1], 0.0195 * scale, 0.0150 * scale, sole)
    layer.limb(pixel[2], pixel[4], ((0, 0.0205 * scale), (0.66, 0.0215 * scale), (1, 0.0150 * scale)), look.shoe, 1.0)
    layer.limb(pixel[5], pixel[6], ((0, 0.0215 * scale), (1, 0.0205 * scale)), look.shoe, 1.0)
    layer.limb(pixel[6], pixel[3], ((0, 0.0205 * scale), (1, 0.0190 * scale)), look.shoe, 1.0)


def draw_arm(
    sketch: Sketch, body: Body, view: View, side: str, look: Look, grip: float, mark: Color | None = None
) -> None:
    """Adds upper arm, forearm and hand; ``mark`` is the colour of a wrist band."""
    joints = np.stack([body.joint(f'{side}_{name}') for name in ('shoulder', 'elbow', 'wrist')])
    shoulder, elbow, wrist = view.project(joints).tolist()
    size = (view.scale(joints) * body.proportions.girth).tolist()
    cloth = look.jacket or look.top
    upper = sketch.layer(Part[f'{side}_upper_arm'.upper()], float(joints[:2, 2].mean()) + 0.035)
    _clothed(upper, shoulder, elbow, _PROFILES['upper_arm'], size[1], look.skin, cloth, min(1.0, look.sleeve))
    fore = sketch.layer(Part[f'{side}_forearm'.upper()], float(joints[1:, 2].mean()) + 0.04)
    _clothed(fore, elbow, wrist, _PROFILES['forearm'], size[1], look.skin, cloth, look.sleeve - 1)
    if mark is not None:
        fore.limb(elbow, wrist, ((0.86, 0.0165 * size[2]), (0.95, 0.0160 * size[2])), mark)
    tip = joints[2, 2] - body.frames[f'{side}_hand'][2, 1] * 0.05
    _hand(sketch, body, view, side, look.skin, float(tip) + 0.045, grip)


def draw_leg(sketch: Sketch, body: Body, view: View, side: str, look: Look) -> None:
    """Adds thigh, shank and foot."""
    joints = np.stack([body.joint(f'{side}_{name}') for name in ('hip', 'knee', 'ankle')])
    hip, knee, ankle = view.project(joints).tolist()
    size = (view.scale(joints) * body.proportions.girth).tolist()
    thigh = sketch.layer(Part[f'{side}_thigh'.upper()], float(joints[:2, 2].mean()) - 0.09)
    _clothed(thigh, hip, knee, _PROFILES['thigh'], size[1], look.skin, look.bottom, min(1.0, look.trouser), 0.42)
    shank = sketch.layer(Part[f'{side}_shank'.upper()], float(joints[1:, 2].mean()) - 0.05)
    _clothed(shank, knee, ankle, _PROFILES['shank'], size[1], look.skin, look.bottom, look.trouser - 1)
    toe = body.points[f'{side}_toe'][2]
    _foot(
        sketch, body, view, side, look, float(0.6 * joints[2, 2] + 0.4 * toe) - (0.055 if look.trouser < 1.5 else 0.065)
    )
