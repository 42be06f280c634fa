"""Skeletons drawn over a picture."""

from collections.abc import Sequence

import cv2
import numpy as np

_COLORS = dict(left=(40, 150, 255), right=(255, 160, 40), middle=(90, 220, 90))
_COVERED = (60, 60, 230)
_SHIFT = 4
_RIM = 14  # of 16 parts of a pixel


def sides_of(names: Sequence[str]) -> tuple[str, ...]:
    """Left, right or middle for each joint, by its name, as data sets name them (``left_knee``)."""
    return tuple(next((side for side in ('left', 'right') if side in name), 'middle') for name in names)


def draw_people(
    image: np.ndarray,
    people: Sequence[Sequence[float]],
    limbs: Sequence[tuple[int, int]],
    sides: Sequence[str],
    least: float = 0.01,
    height: int = 0,
) -> np.ndarray:
    """A copy of a picture with the skeleton of everybody on it; the person's left is orange, right is blue.

    Args:
        image: (H, W, 3) uint8 BGR.
        people: Per person 3 K numbers x, y, v, as COCO stores them; v is a visibility flag or a score.
        limbs: Pairs of joint indices.
        sides: ``'left'``, ``'right'`` or ``'middle'`` for each joint.
        least: Joints with a smaller v are left out; ground-truth joints with v = 1 (covered) get a red rim.
        height: A lower picture is enlarged to this height first, which gives its skeletons finer lines; a strip of
            pixels less, so that its width is at most four times the height.
    """
    zoom = max(1.0, min(height / image.shape[0], 4 * height / image.shape[1]))
    picture = cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC) if zoom > 1 else image.copy()
    thickness = max(1, round(min(picture.shape[:2]) / 400))
    for person in people:
        joints = np.asarray(person, float).reshape(-1, 3)
        # Enlarging moves pixel centres: (x + 0.5) zoom - 0.5.
        places = (np.clip(joints[:, :2], -4096, 4096) + 0.5) * zoom - 0.5
        pixels = np.rint(places * 2**_SHIFT).astype(int)
        for a, b in limbs:
            if min(joints[a, 2], joints[b, 2]) >= least:
                color = _COLORS[sides[a] if sides[a] == sides[b] else 'middle']
                cv2.line(picture, pixels[a].tolist(), pixels[b].tolist(), color, thickness, cv2.LINE_AA, _SHIFT)
        for joint, v in enumerate(joints[:, 2]):
            if v >= least:
                rim = _COVERED if v == 1 else (255, 255, 255)
                radius = int(1.6 * thickness * 2**_SHIFT)
                cv2.circle(picture, pixels[joint].tolist(), radius + _RIM, rim, -1, cv2.LINE_AA, _SHIFT)
                cv2.circle(picture, pixels[joint].tolist(), radius, _COLORS[sides[joint]], -1, cv2.LINE_AA, _SHIFT)
    return picture
