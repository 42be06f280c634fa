"""Forward kinematics: proportions and joint angles to points and frames in space.

Axes of a person: x to the own left, y up, z forward, in units of stature; the lowest foot point is at y = 0
and the pelvis above the origin.  Seen at yaw 0 the person faces the viewer, so the own left is on the right
of the picture.
"""

from dataclasses import dataclass
from math import cos, radians, sin

import numpy as np

from .pose import ANGLES
from .skeleton import JOINT_INDEX, JOINTS, Proportions

DOWN = np.array([0.0, -1.0, 0.0])
FACE_POINTS = {
    'nose': (0, -0.16, 1.06),
    'left_eye': (0.36, 0.10, 0.90),
    'right_eye': (-0.36, 0.10, 0.90),
    'left_ear': (0.98, 0.0, -0.02),
    'right_ear': (-0.98, 0.0, -0.02),
    'head_top': (0, 0.98, 0),
}
"""Face points in units of the head ellipsoid's half axes."""


def rot_x(degrees: float) -> np.ndarray:
    """Rotation about x by the right-hand rule."""
    c, s = cos(radians(degrees)), sin(radians(degrees))
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def rot_y(degrees: float) -> np.ndarray:
    """Rotation about y by the right-hand rule."""
    c, s = cos(radians(degrees)), sin(radians(degrees))
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def rot_z(degrees: float) -> np.ndarray:
    """Rotation about z by the right-hand rule."""
    c, s = cos(radians(degrees)), sin(radians(degrees))
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


@dataclass
class Body:
    """A posed person in space.

    Attributes:
        joints: (21, 3) points in the order of ``skeleton.JOINTS``.
        points: Further named points, each (3, ): heels, toes, finger tips, the middle of the trunk, the
            head's centre.
        frames: Named 3x3 rotations, columns = own left, up, forward: pelvis, waist, chest, head, and per side
            hand, foot.
        head_axes: (3, ) half axes of the head.
        proportions: The lengths it was built from.
    """

    joints: np.ndarray
    points: dict[str, np.ndarray]
    frames: dict[str, np.ndarray]
    head_axes: np.ndarray
    proportions: Proportions

    def joint(self, name: str) -> np.ndarray:
        """One joint by name."""
        return self.joints[JOINT_INDEX[name]]

    def rotated(self, rotation: np.ndarray) -> 'Body':
        """The same person turned about the origin."""
        return Body(
            self.joints @ rotation.T,
            {k: rotation @ v for k, v in self.points.items()},
            {k: rotation @ v for k, v in self.frames.items()},
            self.head_axes,
            self.proportions,
        )


def _arm(angle: dict[str, float], side: str, sign: int, chest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Frames of upper arm and forearm."""
    upper = (
        chest
        @ rot_x(-angle[f'{side}_shoulder_flex'])
        @ rot_z(sign * angle[f'{side}_shoulder_spread'])
        @ rot_y(-sign * angle[f'{side}_shoulder_turn'])
    )
    return upper, upper @ rot_x(-angle[f'{side}_elbow'])


def _leg(
    angle: dict[str, float], side: str, sign: int, pelvis: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frames of thigh, shank and foot."""
    thigh = (
        pelvis
        @ rot_x(-angle[f'{side}_hip_flex'])
        @ rot_z(sign * angle[f'{side}_hip_spread'])
        @ rot_y(-sign * angle[f'{side}_hip_turn'])
    )
    shank = thigh @ rot_x(angle[f'{side}_knee'])
    return thigh, shank, shank @ rot_x(angle[f'{side}_ankle'])


def _limbs(
    angle: dict[str, float],
    size: Proportions,
    found: dict[str, np.ndarray],
    points: dict[str, np.ndarray],
    frames: dict[str, np.ndarray],
) -> None:
    """Adds arms and legs of both sides to the three tables."""
    pelvis, chest = frames['pelvis'], frames['chest']
    for side, sign in (('left', 1), ('right', -1)):
        shoulder = found['thorax'] + chest @ (sign * size.half_shoulders, -0.022, 0)
        upper, fore = _arm(angle, side, sign, chest)
        elbow = shoulder + upper @ DOWN * size.upper_arm
        wrist = elbow + fore @ DOWN * size.forearm
        hip = found['pelvis'] + pelvis @ (sign * size.half_hips, 0, 0)
        thigh, shank, foot = _leg(angle, side, sign, pelvis)
        knee = hip + thigh @ DOWN * size.thigh
        ankle = knee + shank @ DOWN * size.shank
        found.update(
            {
                f'{side}_shoulder': shoulder,
                f'{side}_elbow': elbow,
                f'{side}_wrist': wrist,
                f'{side}_hip': hip,
                f'{side}_knee': knee,
                f'{side}_ankle': ankle,
            }
        )
        points[f'{side}_heel'] = ankle + foot @ (0, -size.ankle_height * 0.72, -0.27 * size.foot)
        points[f'{side}_toe'] = ankle + foot @ (sign * 0.008, -size.ankle_height * 0.78, 0.66 * size.foot)
        frames.update({f'{side}_hand': fore, f'{side}_foot': foot})


def pose_body(size: Proportions, pose: np.ndarray, lift: float = 0.0) -> Body:
    """Places every joint of a person.

    Args:
        size: Proportions.
        pose: (len(ANGLES), ) degrees.
        lift: Height of the lowest foot point above the floor, in statures (a jump).
    """
    angle = dict(zip(ANGLES, pose.tolist(), strict=True))
    pelvis = rot_x(angle['lean'])
    half = rot_x(angle['bend'] / 2) @ rot_z(-angle['side'] / 2) @ rot_y(angle['twist'] / 2)
    waist = pelvis @ half
    chest = waist @ half
    head = chest @ rot_y(angle['turn']) @ rot_z(-angle['tilt']) @ rot_x(angle['nod'])
    found = {'pelvis': np.zeros(3)}
    middle = pelvis[:, 1] * size.trunk * 0.5
    found['thorax'] = middle + chest[:, 1] * size.trunk * 0.5
    found['upper_neck'] = found['thorax'] + chest @ (0, size.neck * 0.93, 0.010)
    axes = np.array([0.38, 0.5, 0.44]) * size.head
    centre = found['upper_neck'] + head @ (0, size.head * 0.44, 0.10 * size.head)
    found.update({name: centre + head @ (axes * at) for name, at in FACE_POINTS.items()})
    points, frames = {'middle': middle, 'head': centre}, dict(pelvis=pelvis, waist=waist, chest=chest, head=head)
    _limbs(angle, size, found, points, frames)
    lowest = min(points[f'{side}_{end}'][1] for side in ('left', 'right') for end in ('heel', 'toe')) - 0.012
    shift = np.array([0, lift - lowest, 0])
    return Body(
        np.stack([found[name] for name in JOINTS]) + shift,
        {k: v + shift for k, v in points.items()},
        frames,
        axes,
        size,
    )
