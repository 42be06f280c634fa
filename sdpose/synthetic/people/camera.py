"""The view of one person: a turn about three axes and a weak perspective onto the picture."""

from dataclasses import dataclass

import numpy as np

from .kinematics import rot_x, rot_y, rot_z


@dataclass(frozen=True)
class View:
    """Where a person stands in the picture and from where it is seen.

    Attributes:
        foot: (x, y) pixel of the floor point under the pelvis.
        height: Pixels per stature at the depth of the pelvis.
        yaw: Degrees; 0 faces the viewer, 90 shows the person looking towards the right of the picture.
        pitch: Degrees the camera looks down.
        roll: Degrees the picture is turned.
        distance: Distance of the camera in statures; smaller means stronger foreshortening.
    """

    foot: tuple[float, float]
    height: float
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    distance: float = 4.0

    def rotation(self) -> np.ndarray:
        """From the person's axes to the camera's: x right, y up, z towards the viewer."""
        return rot_z(self.roll) @ rot_x(self.pitch) @ rot_y(self.yaw)

    def scale(self, points: np.ndarray) -> np.ndarray:
        """Pixels per stature at camera-axis points (..., 3)."""
        return self.height * self.distance / np.maximum(self.distance - points[..., 2], 0.5)

    def project(self, points: np.ndarray) -> np.ndarray:
        """Pixels (..., 2) of camera-axis points (..., 3)."""
        return np.asarray(self.foot) + points[..., :2] * self.scale(points)[..., None] * (1, -1)

    def mirrored(self, width: int) -> 'View':
        """The view a mirrored picture of ``width`` pixels shows."""
        return View(
            (width - 1 - self.foot[0], self.foot[1]), self.height, -self.yaw, self.pitch, -self.roll, self.distance
        )
