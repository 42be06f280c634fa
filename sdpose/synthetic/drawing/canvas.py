"""A picture and, pixel for pixel, whose body part each pixel shows."""

from collections.abc import Sequence

import cv2
import numpy as np

Color = tuple[int, int, int]
Pixel = Sequence[float] | np.ndarray
"""x to the right and y down; integers are centres."""
_SHIFT = 4
_ONE = 1 << _SHIFT
_FAR = 1 << 15
PERSON_STRIDE = 32
"""A tag is person number (from 1) times this plus the part; 0 is no person."""


def fixed(polygon: np.ndarray) -> np.ndarray:
    """A polygon of float pixels (n, 2) as OpenCV's fixed-point integers."""
    return np.rint(np.clip(polygon, -_FAR, _FAR) * _ONE).astype(np.int32)


class Canvas:
    """An 8-bit picture with its tag buffer, painted back to front.

    Attributes:
        image: (H, W, 3) uint8, BGR.
        tags: (H, W) uint16, see ``PERSON_STRIDE``.
    """

    def __init__(self, image: np.ndarray) -> None:
        self.image = image
        self.tags = np.zeros(image.shape[:2], np.uint16)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.image.shape[1], self.image.shape[0]

    def fill(self, polygon: np.ndarray, color: Sequence[int], tag: int = -1) -> None:
        """Paints a convex polygon; a tag >= 0 is written to the same pixels.

        Args:
            polygon: (n, 2) float pixels, x to the right and y down; integers are pixel centres.
            color: BGR.
            tag: Value for the tag buffer; 0 covers people, -1 leaves the buffer alone.
        """
        points = fixed(polygon)
        cv2.fillConvexPoly(self.image, points, color, cv2.LINE_AA, _SHIFT)
        if tag >= 0:
            cv2.fillConvexPoly(self.tags, points, tag, cv2.LINE_8, _SHIFT)

    def fill_any(self, polygon: np.ndarray, color: Sequence[int], tag: int = -1) -> None:
        """As ``fill`` for any simple polygon."""
        points = [fixed(polygon)]
        cv2.fillPoly(self.image, points, color, cv2.LINE_AA, _SHIFT)
        if tag >= 0:
            cv2.fillPoly(self.tags, points, tag, cv2.LINE_8, _SHIFT)

    def disc(self, centre: Pixel, radius: float, color: Sequence[int], tag: int = -1) -> None:
        """Paints a disc."""
        self.fill(np.asarray(centre) + radius * UNIT_CIRCLE, color, tag)

    def rect(self, x0: float, y0: float, x1: float, y1: float, color: Sequence[int], tag: int = -1) -> None:
        """Paints an upright rectangle between two corners."""
        self.fill(np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], float), color, tag)

    def line(self, start: Pixel, end: Pixel, color: Sequence[int], thickness: float = 1) -> None:
        """Paints a line without touching the tags."""
        a, b = fixed(np.array([start, end], float))
        cv2.line(self.image, a.tolist(), b.tolist(), color, max(1, round(thickness)), cv2.LINE_AA, _SHIFT)

    def darken(self, centre: Pixel, axes: Sequence[float], amount: float) -> None:
        """Casts a soft elliptic shadow; ``amount`` 0 leaves the picture as it is, 1 makes it black."""
        (cx, cy), (rx, ry), (width, height) = centre, axes, self.size
        x0, x1 = max(0, int(cx - rx)), min(width, int(cx + rx) + 1)
        y0, y1 = max(0, int(cy - ry)), min(height, int(cy + ry) + 1)
        if x1 <= x0 or y1 <= y0:
            return
        across = ((np.arange(x0, x1, dtype=np.float32) - cx) / rx) ** 2
        down = ((np.arange(y0, y1, dtype=np.float32) - cy) / ry) ** 2
        factor = 1 - amount * np.clip(1.4 * (1 - across - down[:, None]), 0, 1)
        patch = self.image[y0:y1, x0:x1]
        patch[:] = cv2.multiply(patch, cv2.merge([factor] * 3), dtype=cv2.CV_8U)


_angles = np.linspace(0, 2 * np.pi, 20, endpoint=False)
UNIT_CIRCLE = np.stack([np.cos(_angles), np.sin(_angles)], 1)
