"""Outlines of simple solids as the camera sees them, as polygons in pixels."""

import numpy as np

_ARC = np.linspace(-1, 1, 9)
_ARC_FINE = np.linspace(-1, 1, 17)
_RING = np.linspace(0, 2 * np.pi, 28, endpoint=False)
_RING_COS, _RING_SIN = np.cos(_RING)[:, None], np.sin(_RING)[:, None]


def capsules(start: np.ndarray, end: np.ndarray, start_radius: np.ndarray, end_radius: np.ndarray) -> np.ndarray:
    """Outlines of tapered limbs: for each row the hull of two discs.

    Args:
        start, end: (n, 2) centres.
        start_radius, end_radius: (n, ) radii.

    Returns:
        (n, 18, 2) polygons.
    """
    along = end - start
    length = np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-6)
    tangent = np.arccos(np.clip((start_radius - end_radius) / length, -1, 1))[:, None]
    heading = np.arctan2(along[:, 1], along[:, 0])[:, None]
    ahead = heading + tangent * _ARC
    behind = heading + np.pi + (np.pi - tangent) * _ARC
    near = np.stack([np.cos(behind), np.sin(behind)], -1) * start_radius[:, None, None] + start[:, None]
    far = np.stack([np.cos(ahead), np.sin(ahead)], -1) * end_radius[:, None, None] + end[:, None]
    return np.concatenate([far, near], 1)


class Ellipsoid:
    """An ellipsoid seen in parallel projection.

    Args:
        centre: (2, ) pixel.
        shape: (3, 3) from its unit sphere to camera axes, in pixels (x right, y up, z towards the viewer).
    """

    def __init__(self, centre: np.ndarray, shape: np.ndarray) -> None:
        self.centre, self.shape = centre, shape
        view = np.linalg.solve(shape, (0.0, 0.0, 1.0))
        self.view = view / np.linalg.norm(view)

    def pixels(self, sphere: np.ndarray) -> np.ndarray:
        """Pixels (..., 2) of points (..., 3) of the unit sphere's space."""
        return self.centre + (sphere @ self.shape.T)[..., :2] * (1, -1)

    def facing(self, sphere: np.ndarray) -> np.ndarray:
        """Cosine between the viewing direction and unit-sphere points (..., 3); positive faces the viewer."""
        return sphere @ self.view

    def outline(self, grow: float = 1.0) -> np.ndarray:
        """The silhouette, enlarged by ``grow``; (28, 2)."""
        first, second = _basis(self.view)
        return self.pixels(grow * (_RING_COS * first + _RING_SIN * second))

    def cap(self, axis: np.ndarray, degrees: float, grow: float = 1.0) -> np.ndarray | None:
        """The visible part of the cap of angular radius ``degrees`` around ``axis``, or None where none is.

        Its edge is the visible arc of the rim, closed along the silhouette where the rim runs behind the
        horizon.
        """
        axis = axis / np.linalg.norm(axis)
        toward, radius = float(axis @ self.view), np.radians(degrees)
        aside = max(1 - toward * toward, 0.0) ** 0.5
        if aside < 1e-6:  # seen straight on or from straight behind: a circle, or nothing
            return self.outline(grow * np.sin(min(radius, np.pi / 2))) if toward > 0 else None
        first = (self.view - toward * axis) / aside
        second = _cross(axis, first)
        horizon = -np.cos(radius) * toward / (np.sin(radius) * aside)
        if horizon >= 1:
            return self.outline(grow) if toward > 0 else None
        reach = np.arccos(max(horizon, -1.0)) * _ARC_FINE[:, None]
        rim = np.cos(radius) * axis + np.sin(radius) * (np.cos(reach) * first + np.sin(reach) * second)
        if horizon > -1:
            back = np.arccos(min(1.0, np.cos(radius) / aside)) * -_ARC_FINE[:, None]
            rim = np.concatenate([rim, np.cos(back) * (axis - toward * self.view) / aside + np.sin(back) * second])
        return self.pixels(grow * rim)


def _basis(axis: np.ndarray) -> np.ndarray:
    """Two unit vectors that span the plane across a unit vector."""
    helper = np.eye(3)[int(np.argmin(np.abs(axis)))]
    first = _cross(axis, helper)
    first /= np.linalg.norm(first)
    return np.stack([first, _cross(axis, first)])


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cross product of two vectors; numpy's general one costs ten times as much."""
    (ax, ay, az), (bx, by, bz) = a.tolist(), b.tolist()
    return np.array([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx])
