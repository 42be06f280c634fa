"""The shapes as polygons within the unit circle.

Shapes: n corners.
"""

import numpy as np


def _regular(corners: int, radius: float = 1.0) -> np.ndarray:
    """A regular polygon (n, 2)."""
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _star() -> np.ndarray:
    radius = np.where(np.arange(10) % 2, 0.42, 1.0)
    return _regular(10) * radius[:, None]


def _half() -> np.ndarray:
    angle = np.linspace(0, np.pi, 24)
    return np.stack([np.cos(angle), np.sin(angle) - 0.4], axis=1)


_BAR, _LONG = 0.3, 0.95
_CROSS = np.array(
    [
        (_BAR, _LONG),
        (-_BAR, _LONG),
        (-_BAR, _BAR),
        (-_LONG, _BAR),
        (-_LONG, -_BAR),
        (-_BAR, -_BAR),
        (-_BAR, -_LONG),
        (_BAR, -_LONG),
        (_BAR, -_BAR),
        (_LONG, -_BAR),
        (_LONG, _BAR),
        (_BAR, _BAR),
    ]
)
_ARROW = np.array([(1, 0), (0.2, 0.8), (0.2, 0.28), (-0.95, 0.28), (-0.95, -0.28), (0.2, -0.28), (0.2, -0.8)])

# Class to its contours; a contour within another one is a hole.
OUTLINES: dict[str, tuple[np.ndarray, ...]] = dict(
    arrow=(_ARROW,),
    circle=(_regular(48),),
    cross=(_CROSS,),
    half=(_half(),),
    ring=(_regular(48), _regular(48, 0.55)),
    square=(_regular(4),),
    star=(_star(),),
    triangle=(_regular(3),),
)
CLASSES = tuple(OUTLINES)
