"""Skeletons drawn over a picture."""
from typing import Sequence

import cv2
import numpy as np

_LEFT, _RIGHT, _MIDDLE = (40, 150, 255), (255, 160, 40), (90, 220, 90)
_COVERED = (60, 60, 230)
_SHIFT = 4


def _color(joint: int, name_parity: int) -> tuple[int, int, int]:
    """COCO lists the nose first and then left before right, so odd joints are left."""
    return _MIDDLE if joint == 0 else (_LEFT if joint % 2 == name_parity else _RIGHT)


def draw_people(image: np.ndarray, people: Sequence[Sequence[float]], limbs: Sequence[tuple[int, int]],
                least: float = 0.01) -> np.ndarray:
    """A copy of a picture with the skeleton of everybody on it; the person's left is orange, right is blue.

    Args:
        image: (H, W, 3) uint8 BGR.
        people: Per person 3 K numbers x, y, v, as COCO stores them; v is a visibility flag or a score.
        limbs: Pairs of joint indices, in COCO's order of joints.
        least: Joints with a smaller v are left out; ground-truth joints with v = 1 (covered) get a red rim.
    """
    picture = image.copy()
    thickness = max(1, round(min(image.shape[:2]) / 260))
    for person in people:
        joints = np.asarray(person, float).reshape(-1, 3)
        pixels = np.rint(np.clip(joints[:, :2], -4096, 4096) * 2**_SHIFT).astype(int)
        for a, b in limbs:
            if min(joints[a, 2], joints[b, 2]) >= least:
                color = _MIDDLE if a % 2 != b % 2 or 0 in (a, b) else _color(b, 1)
                cv2.line(picture, pixels[a].tolist(), pixels[b].tolist(), color, thickness, cv2.LINE_AA,
                         _SHIFT)
        for joint, v in enumerate(joints[:, 2]):
            if v >= least:
                rim = _COVERED if v == 1 else (255, 255, 255)
                radius = int(1.5 * thickness * 2**_SHIFT)
                cv2.circle(picture, pixels[joint].tolist(), radius + 2**_SHIFT, rim, -1, cv2.LINE_AA, _SHIFT)
                cv2.circle(picture, pixels[joint].tolist(), radius, _color(joint, 1), -1, cv2.LINE_AA, _SHIFT)
    return picture
