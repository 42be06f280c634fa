"""Skeletons drawn over a picture, so that they are seen on any ground and at any size of person."""

from collections.abc import Sequence

import cv2
import numpy as np

from .skeleton import Color, Skeleton

_COVERED = (60, 60, 230)
_SHIFT = 4  # places are given in 16ths of a pixel
_DARK, _LIGHT = (25, 25, 25), (255, 255, 255)
_FAR = 4096
# A line is as wide as so many parts of the person's diagonal, within limits in pixels.
_WIDTH_SHARE, _WIDEST, _ALONE = 90, 8.0, 2.0
# A joint's radius in widths of a line, and as a share of the distance to the nearest other joint.
_RADIUS, _RADIUS_SHARE, _WIDTH_OF_LENGTH = 1.5, 0.35, 0.2


def draw_people(
    image: np.ndarray,
    people: Sequence[Sequence[float] | np.ndarray],
    skeleton: Skeleton,
    least: float = 0.01,
    height: int = 0,
    flags: bool = True,
) -> np.ndarray:
    """A copy of a picture with the skeleton of everybody on it.

    Lines are as wide as suits the person, have an edge of contrasting brightness, and are thinner where limbs are
    short; joints are smaller where they are dense, so that hands and faces stay legible.

    Args:
        image: (H, W, 3) uint8 BGR.
        people: Per person 3 K numbers x, y, v, as COCO stores them; v is a visibility flag or a score.
        skeleton: Limbs and colors.
        least: Joints with a smaller v are left out.
        height: A lower picture is enlarged to this height first, which gives its skeletons finer lines; a strip of
            pixels less, so that its width is at most four times the height.
        flags: Whether v is a flag: joints with v = 1 (covered) get a red rim.
    """
    zoom = max(1.0, min(height / image.shape[0], 4 * height / image.shape[1]))
    picture = cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC) if zoom > 1 else image.copy()
    for person in people:
        joints = np.asarray(person, float).reshape(-1, 3)
        # Enlarging moves pixel centres: (x + 0.5) zoom - 0.5.
        places = (np.clip(np.nan_to_num(joints[:, :2]), -_FAR, _FAR) + 0.5) * zoom - 0.5
        shown = np.flatnonzero(joints[:, 2] >= least)
        if len(shown):
            width = _width(places[shown])
            _draw_limbs(picture, places, skeleton, set(shown.tolist()), width)
            covered = {joint for joint in shown.tolist() if flags and joints[joint, 2] == 1}
            _draw_joints(picture, places, skeleton, shown, covered, width)
    return picture


def _width(places: np.ndarray) -> float:
    """The width of a person's lines in pixels, by the diagonal of the joints that are shown."""
    if len(places) == 1:
        return _ALONE
    diagonal = float(np.hypot(*(places.max(axis=0) - places.min(axis=0))))
    return min(_WIDEST, max(1.0, diagonal / _WIDTH_SHARE))


def _draw_limbs(picture: np.ndarray, places: np.ndarray, skeleton: Skeleton, shown: set[int], width: float) -> None:
    """All edges first, so that a limb that crosses another one hides no part of it."""
    lines = []
    for (a, b), color in zip(skeleton.limbs, skeleton.limb_colors):
        if a in shown and b in shown:
            length = float(np.hypot(*(places[a] - places[b])))
            inner = max(1, round(min(width, _WIDTH_OF_LENGTH * length)))
            lines.append((_fixed(places[a]), _fixed(places[b]), color, inner))
    for start, end, color, inner in lines:
        cv2.line(picture, start, end, _edge(color), inner + 2 * max(1, inner // 3), cv2.LINE_AA, _SHIFT)
    for start, end, color, inner in lines:
        cv2.line(picture, start, end, color, inner, cv2.LINE_AA, _SHIFT)


def _draw_joints(
    picture: np.ndarray, places: np.ndarray, skeleton: Skeleton, shown: np.ndarray, covered: set[int], width: float
) -> None:
    for joint, radius in zip(shown.tolist(), _radii(places[shown], _RADIUS * width)):
        color = skeleton.joint_colors[joint]
        rim = _COVERED if joint in covered else _edge(color)
        center, edge = _fixed(places[joint]), min(1.0, 0.5 * radius)
        cv2.circle(picture, center, round((radius + edge) * 2**_SHIFT), rim, -1, cv2.LINE_AA, _SHIFT)
        cv2.circle(picture, center, round(radius * 2**_SHIFT), color, -1, cv2.LINE_AA, _SHIFT)


def _radii(places: np.ndarray, largest: float) -> np.ndarray:
    """The radius of each joint in pixels: less where others are near."""
    distances = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    return np.clip(_RADIUS_SHARE * distances.min(axis=1), 1.0, max(1.0, largest))


def _edge(color: Color) -> Color:
    """Dark around what is bright, and the reverse."""
    blue, green, red = color
    return _DARK if 0.114 * blue + 0.587 * green + 0.299 * red > 100 else _LIGHT


def _fixed(place: np.ndarray) -> tuple[int, int]:
    """A place in the units that OpenCV draws in."""
    x, y = np.rint(place * 2**_SHIFT).astype(int).tolist()
    return x, y
