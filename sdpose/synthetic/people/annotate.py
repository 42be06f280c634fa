"""What is known about a drawn scene: joints with visibility, boxes and areas; the styles write it down."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sdpose.synthetic.drawing.canvas import PERSON_STRIDE
from sdpose.synthetic.drawing.solids import Ellipsoid

from .camera import View
from .kinematics import Body
from .skeleton import ADJOINING, COCO_17, JOINT_INDEX, JOINTS, Part

_FACE = ('nose', 'left_eye', 'right_eye', 'left_ear', 'right_ear')
_HIDDEN, _UNKNOWN = -0.05, -0.35
"""Cosines towards the viewer below which a face point is covered, and below which nobody could place it."""
_BEHIND = 0.06
"""Statures by which a shoulder or hip may lie behind the middle of the trunk and still count as seen."""
_FEWEST = 3


@dataclass(frozen=True)
class Annotation:
    """One person of a scene.

    Attributes:
        joints: (21, 3) x and y in pixels and the flag: 2 visible, 1 covered, 0 outside the picture or
            unknowable.
        box: (x, y, width, height) of the visible pixels.
        area: Number of visible pixels.
        number: The person's number in the tag buffer.
        stature: Its height when standing upright, in pixels.
        middle: (x, y) of the middle of its trunk, in pixels.
        head_box: (x, y) of the upper left corner and of the lower right one, in pixels, as if nothing hid the head.
    """

    joints: np.ndarray
    box: tuple[float, float, float, float]
    area: int
    number: int
    stature: float
    middle: tuple[float, float]
    head_box: tuple[float, float, float, float]


def _limits(body: Body) -> dict[int, int]:
    """Joints whose flag is bounded by the person's own shape: 0 unknowable, 1 on the far side."""
    bound, head = {}, body.points['head']
    for name in _FACE:
        normal = body.frames['head'] @ (body.frames['head'].T @ (body.joint(name) - head) / body.head_axes**2)
        toward = normal[2] / np.linalg.norm(normal)
        if toward < _HIDDEN:
            bound[JOINT_INDEX[name]] = 0 if toward < _UNKNOWN else 1
    return bound


def _flag(tag: int, joint: int, number: int, behind: bool) -> int:
    if tag // PERSON_STRIDE != number:
        return 1
    part = tag % PERSON_STRIDE
    if behind and part in (Part.TORSO, Part.PELVIS):
        return 1
    return 2 if part in ADJOINING[joint] else 1


def joint_flags(tags: np.ndarray, body: Body, view: View, number: int) -> np.ndarray:
    """Joints (21, 3) of one person: pixel and flag, zeros where the flag is 0."""
    pixels, bound = view.project(body.joints), _limits(body)
    middle = {'shoulder': body.joint('thorax')[2], 'hip': body.joint('pelvis')[2]}
    result, (height, width) = np.zeros((len(JOINTS), 3)), tags.shape
    for joint, (x, y) in enumerate(pixels.tolist()):
        column, row = round(x), round(y)
        if not (0 <= column < width and 0 <= row < height) or bound.get(joint) == 0:
            continue
        depth = middle.get(JOINTS[joint].split('_')[-1])
        behind = depth is not None and body.joints[joint, 2] < depth - _BEHIND
        result[joint] = x, y, min(bound.get(joint, 2), _flag(int(tags[row, column]), joint, number, behind))
    return result


def _middle_and_head(body: Body, view: View) -> tuple[tuple[float, float], tuple[float, float, float, float]]:
    """The middle of the trunk and the box around the projected head, in pixels."""
    scale = float(view.scale(body.points['head']))
    centre = view.project(body.points['head'])
    outline = Ellipsoid(centre, body.frames['head'] * (body.head_axes * scale)).outline()
    (left, top), (right, bottom) = outline.min(0).tolist(), outline.max(0).tolist()
    x, y = view.project((body.joint('thorax') + body.joint('pelvis')) / 2).tolist()
    return (x, y), (left, top, right, bottom)


def annotate(
    tags: np.ndarray, people: Sequence[tuple[Body, View]], labelled: Sequence[int] = COCO_17
) -> tuple[Annotation, ...]:
    """Annotations of everybody of whom a pixel is visible.

    A person with fewer than three visible joints keeps box and area and loses all joints, as COCO does with
    people too hidden to label.

    Args:
        tags: (H, W) person and part of each pixel.
        people: Everybody in the scene, in the order of their numbers.
        labelled: Indices of the joints that will be written, which are those that count as visible.
    """
    owner, found = tags // PERSON_STRIDE, []
    areas = np.bincount(owner.ravel(), minlength=len(people) + 1)
    for number, (body, view) in enumerate(people, 1):
        if areas[number] == 0:
            continue
        mask = owner == number
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        joints = joint_flags(tags, body, view, number)
        if (joints[list(labelled), 2] == 2).sum() < _FEWEST:
            joints[:] = 0
        box = (float(columns[0]), float(rows[0]), float(columns[-1] - columns[0] + 1), float(rows[-1] - rows[0] + 1))
        found.append(Annotation(joints, box, int(areas[number]), number, view.height, *_middle_and_head(body, view)))
    return tuple(found)
