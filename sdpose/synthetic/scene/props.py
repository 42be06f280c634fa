"""Objects of the surroundings: furniture, plants, street furniture.  Each stands on ``base`` and covers what
is behind it.

Every function takes the canvas, a source of randomness, the pixel (x, base) of the middle of its foot, and
its height or width ``size`` in pixels.
"""

import numpy as np

from sdpose.synthetic.drawing.canvas import Canvas
from sdpose.synthetic.drawing.palette import foliage, muted, wood
from sdpose.synthetic.people.appearance import shade


def plant(canvas: Canvas, rng: np.random.Generator, x: float, base: float, size: float) -> None:
    """A pot plant."""
    pot, leaf = muted(rng, (0.02, 0.1), (0.2, 0.5), (0.4, 0.75)), foliage(rng)
    for angle in rng.uniform(-1.25, 1.25, 9):
        reach = size * rng.uniform(0.55, 0.95)
        direction = np.array([np.sin(angle), -np.cos(angle)])
        side = np.array([direction[1], -direction[0]]) * size * 0.055
        root = np.array([x, base - 0.30 * size])
        leaf_shape = np.stack(
            [
                root,
                root + 0.5 * reach * direction + side,
                root + reach * direction,
                root + 0.5 * reach * direction - side,
            ]
        )
        canvas.fill(leaf_shape, shade(leaf, rng.uniform(0.75, 1.2)), 0)
    w = 0.16 * size
    canvas.fill(
        np.array([(x - w, base - 0.34 * size), (x + w, base - 0.34 * size), (x + 0.7 * w, base), (x - 0.7 * w, base)]),
        pot,
        0,
    )
    canvas.rect(x - 1.12 * w, base - 0.37 * size, x + 1.12 * w, base - 0.31 * size, shade(pot, 0.8), 0)


def box(canvas: Canvas, rng: np.random.Generator, x: float, base: float, size: float) -> None:
    """A cardboard box or crate."""
    color, w, h = wood(rng), size * rng.uniform(0.4, 0.6), size * rng.uniform(0.5, 0.9)
    d = 0.25 * w * (1 if rng.random() < 0.5 else -1)
    canvas.fill(
        np.array(
            [
                (x - w, base - h),
                (x + w, base - h),
                (x + w + d, base - h - abs(d) * 0.6),
                (x - w + d, base - h - abs(d) * 0.6),
            ]
        ),
        shade(color, 1.2),
        0,
    )
    edge = w if d > 0 else -w
    canvas.fill(
        np.array(
            [
                (x + edge, base - h),
                (x + edge + d, base - h - abs(d) * 0.6),
                (x + edge + d, base - abs(d) * 0.6),
                (x + edge, base),
            ]
        ),
        shade(color, 0.7),
        0,
    )
    canvas.rect(x - w, base - h, x + w, base, color, 0)
    canvas.rect(x - 0.12 * w, base - h, x + 0.12 * w, base, shade(color, 1.12), 0)


def table(canvas: Canvas, rng: np.random.Generator, x: float, base: float, size: float) -> None:
    """A table seen from the front with something on it."""
    color, w, top = wood(rng), size * rng.uniform(0.6, 1.0), base - size * 0.62
    for leg in (-0.9, 0.9):
        canvas.rect(x + leg * w - 0.035 * size, top, x + leg * w + 0.035 * size, base, shade(color, 0.75), 0)
    canvas.fill(
        np.array([(x - w, top), (x + w, top), (x + 0.86 * w, top - 0.13 * size), (x - 0.86 * w, top - 0.13 * size)]),
        shade(color, 1.15),
        0,
    )
    canvas.rect(x - w, top, x + w, top + 0.07 * size, color, 0)
    for at in rng.uniform(-0.7, 0.7, 2):
        cup, u = muted(rng), 0.05 * size
        canvas.rect(x + at * w - u, top - 2.6 * u, x + at * w + u, top - 0.6 * u, cup, 0)


def pole(canvas: Canvas, rng: np.random.Generator, x: float, base: float, size: float) -> None:
    """A lamp post, column or tree trunk."""
    color, w = muted(rng, (0.05, 0.7), (0.03, 0.25), (0.25, 0.6)), size * rng.uniform(0.025, 0.06)
    canvas.rect(x - w, base - 2.5 * size, x + w, base, color, 0)
    canvas.rect(x - 0.5 * w, base - 2.5 * size, x - 0.1 * w, base, shade(color, 1.2), 0)
    canvas.rect(x - 1.6 * w, base - 0.1 * size, x + 1.6 * w, base, shade(color, 0.8), 0)


def ball(canvas: Canvas, rng: np.random.Generator, x: float, base: float, size: float) -> None:
    """A ball on the floor or a balloon in the air."""
    color, r = muted(rng, saturation=(0.25, 0.5), value=(0.5, 0.85)), size * rng.uniform(0.10, 0.2)
    y = base - r if rng.random() < 0.5 else base - size * rng.uniform(0.6, 1.1)
    canvas.disc((x, y), r * 1.04, shade(color, 0.6), 0)
    canvas.disc((x, y), r, color, 0)
    canvas.disc((x - 0.25 * r, y - 0.3 * r), 0.5 * r, shade(color, 1.16), 0)


def bench(canvas: Canvas, rng: np.random.Generator, x: float, base: float, size: float) -> None:
    """A bench or a fence: slats that leave gaps."""
    color, w, h = wood(rng), size * rng.uniform(0.6, 1.1), size * rng.uniform(0.35, 0.5)
    for leg in (-0.85, 0, 0.85):
        canvas.rect(x + leg * w - 0.025 * size, base - h, x + leg * w + 0.025 * size, base, shade(color, 0.7), 0)
    for k in range(3):
        y = base - h + k * 0.3 * h
        canvas.rect(x - w, y, x + w, y + 0.16 * h, shade(color, 1.1 - 0.08 * k), 0)


def sofa(canvas: Canvas, rng: np.random.Generator, x: float, base: float, size: float) -> None:
    """A sofa or armchair."""
    color, w, h = muted(rng, saturation=(0.1, 0.35), value=(0.4, 0.75)), size * rng.uniform(0.5, 1.0), 0.55 * size
    canvas.rect(x - w, base - h, x + w, base - 0.08 * size, shade(color, 0.85), 0)
    count = 2 if w > 0.7 * size else 1
    for k in range(count):
        x0 = x - 0.88 * w + k * 1.76 * w / count
        canvas.rect(x0 + 1, base - 0.93 * h, x0 + 1.76 * w / count - 1, base - 0.5 * h, shade(color, 1.04), 0)
        canvas.rect(x0 + 1, base - 0.48 * h, x0 + 1.76 * w / count - 1, base - 0.26 * h, shade(color, 1.14), 0)
    for side in (-1, 1):
        canvas.rect(
            x + side * w - 0.1 * size,
            base - 0.72 * h,
            x + side * w + 0.1 * size,
            base - 0.04 * size,
            shade(color, 0.95),
            0,
        )


def seat(canvas: Canvas, rng: np.random.Generator, x: float, base: float, size: float) -> None:
    """A stool or pouf whose top lies ``size`` above its foot, drawn before the person on it."""
    color, w = (wood(rng) if rng.random() < 0.5 else muted(rng)), 0.62 * size
    if rng.random() < 0.5:
        canvas.rect(x - w, base - size, x + w, base, shade(color, 0.9), 0)
        canvas.rect(x - w, base - size, x + w, base - 0.78 * size, shade(color, 1.12), 0)
        return
    for leg in (-0.75, 0.75):
        canvas.rect(x + leg * w - 0.06 * size, base - size, x + leg * w + 0.06 * size, base, shade(color, 0.7), 0)
    canvas.rect(x - w, base - size, x + w, base - 0.82 * size, color, 0)


FURNITURE = (plant, sofa, table, box)
OCCLUDERS = (plant, box, table, pole, ball, bench)
