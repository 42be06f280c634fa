"""One picture: a bright shape of random size, place, tilt and colour over a darker, busy background."""

import cv2
import numpy as np

from .outlines import CLASSES, OUTLINES

_FINE = 4  # drawn so many times larger, then averaged
_LEAST_CONTRAST = 70  # grey levels by which a shape is brighter than the mean of what it lies on
_TILT = np.pi / 8  # largest turn either way; a triangle is a triangle at any angle, but slow to learn


def draw_picture(name: str, size: tuple[int, int], seed: int, split: int, index: int) -> np.ndarray:
    """Draw one picture; the same arguments give the same pixels.

    Args:
        name: A class in ``CLASSES``.
        size: (w, h) in pixels.
        seed: Of the set.
        split: Number of the split.
        index: Number of the picture within its class and split.

    Returns:
        BGR picture (h, w, 3), uint8.
    """
    rng = np.random.default_rng([seed, split, CLASSES.index(name), index])
    fine = (size[0] * _FINE, size[1] * _FINE)
    canvas = _background(rng, fine)
    color = _brighter(rng, float(canvas.mean()))
    place = _placement(rng, fine)
    contours = [np.round(points @ place[:, :2].T + place[:, 2]).astype(np.int32) for points in OUTLINES[name]]
    cv2.fillPoly(canvas, contours, color)  # even-odd rule: an inner contour is a hole
    small = cv2.resize(canvas, size, interpolation=cv2.INTER_AREA)
    noise = rng.normal(0, rng.uniform(2, 12), small.shape)
    return np.clip(small + noise, 0, 255).astype(np.uint8)


def _background(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Two colours that run into each other, crossed by a few thin lines."""
    width, height = size
    angle = rng.uniform(0, 2 * np.pi)
    across = np.cos(angle) * np.linspace(-1, 1, width) + np.sin(angle) * np.linspace(-1, 1, height)[:, None]
    share = ((across - across.min()) / np.ptp(across))[..., None]
    first = rng.uniform(10, 120, 3)
    second = np.clip(first + rng.uniform(-50, 50, 3), 0, 150)
    canvas = np.ascontiguousarray(first * (1 - share) + second * share).astype(np.uint8)
    for _ in range(rng.integers(0, 4)):
        start, end = (tuple(int(value) for value in rng.uniform(0, 1, 2) * size) for _ in range(2))
        shade = tuple(float(value) for value in np.clip(first + rng.uniform(-60, 60, 3), 0, 150))
        cv2.line(canvas, start, end, shade, int(rng.integers(_FINE // 2, 2 * _FINE)), cv2.LINE_AA)
    return canvas


def _brighter(rng: np.random.Generator, mean: float) -> tuple[float, float, float]:
    """A random colour that is brighter than a mean grey level of at most 150."""
    level = rng.uniform(mean + _LEAST_CONTRAST, 235)
    blue, green, red = np.clip(level + rng.uniform(-40, 40, 3), 0, 255)
    return float(blue), float(green), float(red)


def _placement(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """An affine matrix (2, 3) from the unit circle into the picture: size, slight squeeze, tilt and place."""
    radius = rng.uniform(0.26, 0.42) * min(size)
    squeeze = np.diag(radius * rng.uniform(0.85, 1.0, 2))
    angle = rng.uniform(-_TILT, _TILT)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = [rng.uniform(0.95 * radius, side - 0.95 * radius) for side in size]
    return np.column_stack([turn @ squeeze, centre])
