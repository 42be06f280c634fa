"""A person as layers of strokes: collected first, outlined in one batch, painted back to front."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from sdpose.synthetic.people.appearance import shade
from sdpose.synthetic.people.skeleton import Part

from .canvas import PERSON_STRIDE, Canvas, Color, Pixel, fixed
from .solids import capsules

Profile = Sequence[tuple[float, float]]
LIGHT = (-0.5, -0.866)
"""Direction towards the light in the picture, x to the right and y down."""


class Layer:
    """Strokes of one body part that are painted one after the other.

    Args:
        sketch: The sketch it belongs to.
        part: The part its strokes show.
        depth: Larger is nearer to the viewer; layers of a sketch are painted in this order.
    """

    def __init__(self, sketch: 'Sketch', part: Part, depth: float) -> None:
        self.sketch, self.part, self.depth = sketch, part, depth
        self.steps: list[tuple] = []

    def capsule(self, start: Pixel, end: Pixel, start_radius: float, end_radius: float, color: Color) -> None:
        """A tapered stroke; radii in pixels."""
        rows = self.sketch.rows
        self.steps.append((len(rows), color))
        rows.append((start[0], start[1], end[0], end[1], start_radius, end_radius))

    def polygon(self, polygon: np.ndarray, color: Color) -> None:
        """A convex polygon."""
        self.steps.append((polygon, color))

    def call(self, paint: Callable[[Canvas, int], None]) -> None:
        """Anything else: a function of the canvas and the tag."""
        self.steps.append((paint, None))

    def limb(
        self,
        start: Pixel,
        end: Pixel,
        profile: Profile,
        color: Color,
        merge: float = 0.0,
        tail: float = 1.0,
        hem: bool = False,
    ) -> None:
        """A shaded limb: dark rim, shadow tone, lit tone.

        Args:
            start, end: Pixels of its joints.
            profile: (fraction of the length, radius in pixels), ascending.
            color: Tone of the lit side.
            merge: Fraction up to which the rim is left out, so that the limb grows out of its neighbour.
            tail: Fraction from which the rim is left out, so that the next limb grows out of this one.
            hem: Whether it ends straight, as a sleeve does.
        """
        dx, dy = end[0] - start[0], end[1] - start[1]
        length = max((dx * dx + dy * dy) ** 0.5, 1e-6)
        nx, ny = -dy / length, dx / length
        lit = 0.24 * (nx * LIGHT[0] + ny * LIGHT[1])
        rim, last = max(0.6, 0.085 * profile[0][1]), profile[-1][0]
        if hem:
            profile = _short_of(profile, profile[-1][1] / length)
        stops = [(start[0] + dx * t, start[1] + dy * t, t, r) for t, r in profile]
        pairs = list(zip(stops, stops[1:], strict=False))
        for (x0, y0, t0, r0), (x1, y1, t1, r1) in pairs:
            low, high = max(0.0, (merge - t0) / (t1 - t0)), min(1.0, (tail - t0) / (t1 - t0))
            if low < high:
                self.capsule(
                    (x0 + (x1 - x0) * low, y0 + (y1 - y0) * low),
                    (x0 + (x1 - x0) * high, y0 + (y1 - y0) * high),
                    r0 + (r1 - r0) * low + rim,
                    r0 + (r1 - r0) * high + rim,
                    shade(color, 0.5),
                )
        for (x0, y0, _, r0), (x1, y1, _, r1) in pairs:
            self.capsule((x0, y0), (x1, y1), r0, r1, shade(color, 0.82))
        if hem:
            self._hem(stops[-1], (start[0] + dx * last, start[1] + dy * last), (nx, ny), rim, lit, color)
        for (x0, y0, t0, r0), (x1, y1, t1, r1) in pairs:
            g0, g1 = (1.0 if merge > 0 and t0 <= 0 else 0.76), (1.0 if tail < t1 and not hem else 0.76)
            a, b = (lit * r0 if g0 < 1 else 0.0), (lit * r1 if g1 < 1 else 0.0)
            self.capsule((x0 + nx * a, y0 + ny * a), (x1 + nx * b, y1 + ny * b), g0 * r0, g1 * r1, color)

    def _hem(self, stop: tuple[float, ...], end: Pixel, across: Pixel, rim: float, lit: float, color: Color) -> None:
        """The straight end of a sleeve, from the last stop to the end."""
        (x, y, _, radius), (nx, ny) = stop, across
        for width, shift, tone in ((radius + rim, 0.0, 0.5), (radius, 0.0, 0.82), (0.76 * radius, lit * radius, 1.0)):
            ax, ay, bx, by = (nx * (shift + width), ny * (shift + width), nx * (shift - width), ny * (shift - width))
            self.polygon(
                np.array([(x + ax, y + ay), (end[0] + ax, end[1] + ay), (end[0] + bx, end[1] + by), (x + bx, y + by)]),
                shade(color, tone),
            )


def _short_of(profile: Profile, amount: float) -> Profile:
    """The profile ended earlier by a fraction of the length, but not before its first two thirds."""
    first, (last, radius) = profile[0][0], profile[-1]
    stop = max(last - amount, first + 0.66 * (last - first))
    return [(t, r) for t, r in profile[:-1] if t < stop] + [(stop, radius)]


class Sketch:
    """All layers of one person."""

    def __init__(self) -> None:
        self.rows: list[tuple[float, ...]] = []
        self._layers: list[Layer] = []

    def layer(self, part: Part, depth: float) -> Layer:
        """A new layer."""
        layer = Layer(self, part, depth)
        self._layers.append(layer)
        return layer

    def paint(self, canvas: Canvas, person: int) -> None:
        """Paints every layer from back to front and tags its pixels with the person (from 1) and the part."""
        table = np.array(self.rows)
        outlines = fixed(capsules(table[:, 0:2], table[:, 2:4], table[:, 4], table[:, 5]))
        image, tags = canvas.image, canvas.tags
        for layer in sorted(self._layers, key=lambda item: item.depth):
            tag = person * PERSON_STRIDE + layer.part
            for shape, color in layer.steps:
                if color is None:
                    shape(canvas, tag)
                    continue
                points = outlines[shape] if isinstance(shape, int) else fixed(shape)
                cv2.fillConvexPoly(image, points, color, cv2.LINE_AA, 4)
                cv2.fillConvexPoly(tags, points, tag, cv2.LINE_8, 4)
