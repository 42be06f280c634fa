"""One person: body, look and view drawn together, and the painting of it."""

from dataclasses import dataclass

import numpy as np

from sdpose.synthetic.drawing.canvas import Canvas
from sdpose.synthetic.drawing.sketch import Sketch

from .appearance import Look, sample_look
from .camera import View
from .head import draw_head
from .kinematics import Body, pose_body
from .limbs import draw_arm, draw_leg
from .pose import mirrored, sample_pose
from .skeleton import Proportions, sample_proportions
from .trunk import draw_trunk


@dataclass(frozen=True)
class Person:
    """What one person is, before it is drawn.

    Attributes:
        look, size, pose: Clothes, lengths and joint angles.
        lift: Height above the floor in statures.
        grip: How far each hand (left, right) is closed, 0 to 1.
        smile, hairline: See ``head.draw_head``.
        seated: Whether it needs a seat below.
    """

    look: Look
    size: Proportions
    pose: np.ndarray
    lift: float
    grip: tuple
    smile: float
    hairline: float
    seated: bool = False

    def body(self, view: View) -> Body:
        """The person in camera axes."""
        return pose_body(self.size, self.pose, self.lift).rotated(view.rotation())

    def mirrored(self) -> 'Person':
        """The person a mirror shows."""
        return Person(
            self.look,
            self.size,
            mirrored(self.pose),
            self.lift,
            self.grip[::-1],
            self.smile,
            self.hairline,
            self.seated,
        )

    def paint(self, canvas: Canvas, body: Body, view: View, number: int) -> None:
        """Paints the person and tags its pixels with ``number`` (from 1)."""
        sketch = Sketch()
        draw_trunk(sketch, body, view, self.look)
        draw_head(sketch, body, view, self.look, self.smile, self.hairline)
        for side, grip in zip(('left', 'right'), self.grip, strict=True):
            draw_arm(sketch, body, view, side, self.look, grip)
            draw_leg(sketch, body, view, side, self.look)
        sketch.paint(canvas, number)


def sample_person(rng: np.random.Generator, family: str) -> Person:
    """A person in a pose of the family."""
    look = sample_look(rng)
    size = sample_proportions(rng, look.broad)
    pose = sample_pose(rng, family)
    jump = family in ('free', 'run') and rng.random() < 0.4
    grip = tuple(np.clip(rng.normal(0.25 if family != 'run' else 0.7, 0.25, 2), 0, 1).tolist())
    return Person(
        look,
        size,
        pose,
        float(rng.uniform(0, 0.1)) if jump else 0.0,
        grip,
        float(np.clip(rng.normal(0.03, 0.03), -0.02, 0.09)),
        float(np.clip(rng.normal(66, 3), 58, 72)),
        family == 'sit',
    )
