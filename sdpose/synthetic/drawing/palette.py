"""Calm colours for surroundings: saturation is bounded so that people stand out and pictures do not glare."""

import colorsys

import numpy as np

from .canvas import Color

_WARM, _COOL = (-0.04, 0.15), (0.50, 0.63)


def muted(
    rng: np.random.Generator,
    hue: tuple[float, float] | None = None,
    saturation: tuple[float, float] = (0.04, 0.26),
    value: tuple[float, float] = (0.45, 0.85),
) -> Color:
    """A colour drawn from ranges of hue, saturation and value, each within 0..1.

    Hue may wrap; without a range it is a warm or a cool one, never the green and magenta that walls seldom
    have.
    """
    hue = hue or (_WARM if rng.random() < 0.6 else _COOL)
    red, green, blue = colorsys.hsv_to_rgb(rng.uniform(*hue) % 1, rng.uniform(*saturation), rng.uniform(*value))
    return int(255 * blue), int(255 * green), int(255 * red)


def wood(rng: np.random.Generator) -> Color:
    """A wood tone."""
    return muted(rng, (0.05, 0.10), (0.25, 0.5), (0.35, 0.75))


def foliage(rng: np.random.Generator) -> Color:
    """A leaf green."""
    return muted(rng, (0.20, 0.36), (0.25, 0.5), (0.32, 0.62))


def vertical_gradient(image: np.ndarray, y0: int, y1: int, top: Color, bottom: Color) -> None:
    """Fills rows y0..y1 of a picture with a blend of two colours."""
    y0, y1 = max(0, y0), min(image.shape[0], y1)
    if y1 > y0:
        image[y0:y1] = np.linspace(top, bottom, y1 - y0).astype(np.uint8)[:, None]
