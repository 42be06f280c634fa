"""Surroundings: a room, a park, a street or a plain backdrop, with a floor that people stand on."""

from collections.abc import Callable

import numpy as np

from sdpose.synthetic.drawing.canvas import Canvas
from sdpose.synthetic.drawing.palette import foliage, muted, vertical_gradient, wood
from sdpose.synthetic.people.appearance import shade

from .props import FURNITURE

Rng = np.random.Generator


def _perspective_floor(canvas: Canvas, rng: Rng, horizon: float, top: float) -> None:
    """Floor boards or tiles that run towards a vanishing point on the horizon."""
    width, height = canvas.size
    color = wood(rng) if rng.random() < 0.6 else muted(rng, saturation=(0.02, 0.15), value=(0.5, 0.8))
    vertical_gradient(canvas.image, int(top), height, shade(color, 0.88), shade(color, 1.05))
    line, horizon = shade(color, 0.78), min(horizon, top - 0.05 * height)
    centre, gap = rng.uniform(0.3, 0.7) * width, width * rng.uniform(0.08, 0.2)
    shrink = (top - horizon) / (height - horizon)
    for k in range(-14, 15):
        x = centre + k * gap
        canvas.line((centre + (x - centre) * shrink, top), (x, height), line)
    if rng.random() < 0.6:
        for k in range(1, 7):
            y = horizon + (height - horizon) / (1 + 0.45 * k)
            if y > top:
                canvas.line((0, y), (width, y), line)


def _window(canvas: Canvas, rng: Rng, x: float, y: float, w: float, h: float) -> None:
    frame, sky = shade((235, 238, 240), rng.uniform(0.8, 1)), muted(rng, (0.5, 0.6), (0.1, 0.35), (0.75, 0.95))
    canvas.rect(x, y, x + w, y + h, frame)
    canvas.rect(x + 0.06 * w, y + 0.05 * h, x + 0.94 * w, y + 0.95 * h, sky)
    canvas.rect(x + 0.06 * w, y + 0.66 * h, x + 0.94 * w, y + 0.95 * h, foliage(rng))
    canvas.rect(x + 0.48 * w, y, x + 0.52 * w, y + h, frame)
    if rng.random() < 0.5:
        curtain = muted(rng, value=(0.6, 0.9))
        for x0 in (x - 0.12 * w, x + 0.88 * w):
            canvas.rect(x0, y - 0.05 * h, x0 + 0.24 * w, y + 1.1 * h, curtain)
            canvas.rect(x0 + 0.09 * w, y - 0.05 * h, x0 + 0.13 * w, y + 1.1 * h, shade(curtain, 0.9))


def _picture(canvas: Canvas, rng: Rng, x: float, y: float, w: float, h: float) -> None:
    canvas.rect(x, y, x + w, y + h, shade(wood(rng), 0.7))
    inner = muted(rng, value=(0.6, 0.9))
    canvas.rect(x + 0.08 * w, y + 0.08 * h, x + 0.92 * w, y + 0.92 * h, inner)
    canvas.fill(
        np.array(
            [
                (x + 0.1 * w, y + 0.9 * h),
                (x + rng.uniform(0.3, 0.7) * w, y + rng.uniform(0.3, 0.6) * h),
                (x + 0.9 * w, y + 0.9 * h),
            ]
        ),
        muted(rng),
    )


def _shelf(canvas: Canvas, rng: Rng, x: float, y: float, w: float, h: float) -> None:
    color = wood(rng)
    canvas.rect(x, y, x + w, y + h, shade(color, 0.6))
    for k in range(3):
        low, at = y + (k + 1) * h / 3, x + 0.03 * w
        while at < x + 0.9 * w:
            thick = w * rng.uniform(0.04, 0.09)
            canvas.rect(
                at,
                low - h * rng.uniform(0.18, 0.28),
                at + thick,
                low,
                muted(rng, saturation=(0.1, 0.4), value=(0.35, 0.8)),
            )
            at += thick * (1 if rng.random() < 0.8 else 2.5)
        canvas.rect(x, low - 0.02 * h, x + w, low + 0.02 * h, color)


def _door(canvas: Canvas, rng: Rng, x: float, y: float, w: float, h: float) -> None:
    color = wood(rng) if rng.random() < 0.5 else muted(rng, value=(0.6, 0.9))
    canvas.rect(x - 0.06 * w, y - 0.03 * h, x + 1.06 * w, y + h, shade(color, 0.8))
    canvas.rect(x, y, x + w, y + h, color)
    for top in (0.08, 0.55):
        canvas.rect(x + 0.15 * w, y + top * h, x + 0.85 * w, y + (top + 0.36) * h, shade(color, 0.9))
    canvas.disc((x + 0.9 * w, y + 0.52 * h), 0.04 * w, (60, 140, 170))


def room(canvas: Canvas, rng: Rng, horizon: float, floor: float) -> None:
    """A room: papered wall, things on the wall, furniture along it."""
    (width, height), wall = canvas.size, muted(rng, saturation=(0.03, 0.28), value=(0.6, 0.92))
    vertical_gradient(canvas.image, 0, int(floor) + 1, shade(wall, 0.95), shade(wall, 1.03))
    paper = rng.random()
    if paper < 0.25:
        step = width * rng.uniform(0.03, 0.08)
        for k in range(0, int(width / step) + 1, 2):
            canvas.rect(k * step, 0, (k + 1) * step, floor, shade(wall, 0.95))
    elif paper < 0.4:
        canvas.rect(0, floor - 0.3 * height, width, floor, shade(wall, 0.85))
    elif paper < 0.52:
        brick = height * 0.04
        for row in range(int(floor / brick) + 1):
            canvas.line((0, row * brick), (width, row * brick), shade(wall, 0.88))
            for k in range(int(width / brick / 2.2) + 2):
                x = (k + 0.5 * (row % 2)) * 2.2 * brick
                canvas.line((x, row * brick), (x, (row + 1) * brick), shade(wall, 0.88))
    _perspective_floor(canvas, rng, horizon, floor)
    canvas.rect(0, floor - 0.025 * height, width, floor, shade(wall, 1.12))
    for x in rng.permutation(4)[: int(rng.integers(1, 4))]:
        left, w = (x + rng.uniform(0.1, 0.35)) * width / 4, width * rng.uniform(0.12, 0.2)
        kind = rng.choice(4, p=[0.3, 0.35, 0.15, 0.2])
        if kind == 3:
            _door(canvas, rng, left, floor - 0.62 * height, 0.16 * width, 0.6 * height)
        else:
            top = floor - height * rng.uniform(0.55, 0.8)
            (_window, _picture, _shelf)[kind](canvas, rng, left, top, w, w * rng.uniform(0.8, 1.5))
    for _ in range(int(rng.integers(0, 3))):
        piece = FURNITURE[int(rng.integers(len(FURNITURE)))]
        piece(canvas, rng, rng.uniform(0, 1) * width, floor + 0.04 * height, height * rng.uniform(0.22, 0.4))


def _tree(canvas: Canvas, rng: Rng, x: float, base: float, size: float) -> None:
    trunk, leaf = wood(rng), foliage(rng)
    canvas.rect(x - 0.04 * size, base - 0.5 * size, x + 0.04 * size, base, shade(trunk, 0.7))
    if rng.random() < 0.3:
        for k in range(3):
            y, w = base - (0.2 + 0.22 * k) * size, (0.3 - 0.07 * k) * size
            canvas.fill(np.array([(x - w, y), (x + w, y), (x, y - 0.42 * size)]), shade(leaf, 0.85 + 0.1 * k))
        return
    for k, (dx, dy) in enumerate(rng.normal(0, 0.12, (7, 2)) * size):
        canvas.disc(
            (x + 1.4 * dx, base - 0.72 * size + dy), size * rng.uniform(0.14, 0.24), shade(leaf, 0.8 + 0.06 * k)
        )


def _sky(canvas: Canvas, rng: Rng, horizon: float) -> None:
    top, width = muted(rng, (0.53, 0.6), (0.12, 0.4), (0.7, 0.92)), canvas.size[0]
    vertical_gradient(canvas.image, 0, int(horizon) + 1, top, (236, 232, 226))
    for _ in range(int(rng.integers(0, 4))):
        x, y, size = rng.uniform(0, width), rng.uniform(0.05, 0.7) * horizon, width * rng.uniform(0.02, 0.05)
        for k in range(4):
            canvas.disc(
                (x + (k - 1.5) * size, y + rng.normal(0, 0.15) * size), size * rng.uniform(0.6, 1), (242, 240, 238)
            )


def park(canvas: Canvas, rng: Rng, horizon: float, floor: float) -> None:
    """A meadow with hills, trees, and perhaps a path."""
    (width, height), grass = canvas.size, foliage(rng)
    line = min(horizon, floor)
    _sky(canvas, rng, line)
    for k in range(2):
        x = np.linspace(0, width, 9)
        y = line - height * (0.10 - 0.05 * k) * (1 + 0.6 * np.sin(x / width * rng.uniform(3, 8) + rng.uniform(0, 6)))
        hill = np.concatenate([np.stack([x, y], 1), [(width, line + 2), (0, line + 2)]])
        canvas.fill_any(hill, shade(muted(rng, (0.25, 0.45), (0.12, 0.3), (0.5, 0.7)), 1 - 0.1 * k))
    vertical_gradient(canvas.image, int(line), height, shade(grass, 1.0), shade(grass, 1.25))
    if rng.random() < 0.5:
        x0, x1 = rng.uniform(0.2, 0.8, 2) * width
        path = muted(rng, (0.08, 0.13), (0.1, 0.25), (0.6, 0.8))
        canvas.fill(
            np.array(
                [
                    (x0 - 0.02 * width, line),
                    (x0 + 0.02 * width, line),
                    (x1 + 0.3 * width, height),
                    (x1 - 0.3 * width, height),
                ]
            ),
            path,
        )
    for size in np.sort(rng.uniform(0.18, 0.75, int(rng.integers(2, 7)))):
        _tree(
            canvas,
            rng,
            rng.uniform(-0.05, 1.05) * width,
            min(line + 0.12 * size * height, floor + 0.05 * height),
            size * height,
        )


def street(canvas: Canvas, rng: Rng, horizon: float, floor: float) -> None:
    """House fronts behind a pavement and a road."""
    (width, height), line = canvas.size, floor - 0.02 * canvas.size[1]
    _sky(canvas, rng, line)
    x = -rng.uniform(0, 0.2) * width
    while x < width:
        w, top = width * rng.uniform(0.18, 0.4), line - height * rng.uniform(0.45, 1.0)
        front, glass = (
            muted(rng, saturation=(0.05, 0.3), value=(0.5, 0.85)),
            muted(rng, (0.5, 0.62), (0.1, 0.3), (0.35, 0.75)),
        )
        canvas.rect(x, top, x + w, line, front)
        columns, step = max(2, int(w / (0.085 * width))), 0.15 * height
        for row in range(max(1, int((line - top) / step))):
            for k in range(columns):
                left, upper = x + (k + 0.22) * w / columns, top + (row + 0.25) * step
                canvas.rect(left, upper, left + 0.56 * w / columns, upper + 0.55 * step, glass)
        canvas.rect(x, line - 0.03 * height, x + w, line, shade(front, 0.8))
        x += w
    stone = muted(rng, saturation=(0.02, 0.1), value=(0.55, 0.75))
    vertical_gradient(canvas.image, int(line), height, shade(stone, 0.92), shade(stone, 1.05))
    curb = line + (height - line) * rng.uniform(0.5, 1.3)
    canvas.rect(0, curb, width, height + 2, shade(stone, 0.62))
    canvas.rect(0, curb, width, curb + 0.015 * height, shade(stone, 1.15))
    for k in range(10):
        at = (k + 0.5) * width / 10
        canvas.line((width / 2 + (at - width / 2) * 0.8, line), (at, min(curb, height)), shade(stone, 0.85))


def studio(canvas: Canvas, rng: Rng, horizon: float, floor: float) -> None:
    """A paper backdrop that bends into the floor."""
    color, height = muted(rng, saturation=(0.02, 0.35), value=(0.5, 0.9)), canvas.size[1]
    vertical_gradient(canvas.image, 0, int(floor), shade(color, 1.05), shade(color, 0.96))
    vertical_gradient(
        canvas.image, int(floor), min(height, int(floor + 0.12 * height)), shade(color, 0.96), shade(color, 1.1)
    )
    vertical_gradient(canvas.image, int(floor + 0.12 * height), height, shade(color, 1.1), shade(color, 1.05))


PLACES: dict[str, Callable[[Canvas, Rng, float, float], None]] = dict(
    room=room, park=park, street=street, studio=studio
)


def draw_background(canvas: Canvas, rng: Rng, horizon: float, floor: float) -> None:
    """Draws the surroundings.

    Args:
        horizon: Row of the horizon.
        floor: Row above which nobody stands.
    """
    place = str(rng.choice(list(PLACES), p=[0.42, 0.25, 0.23, 0.10]))
    PLACES[place](canvas, rng, horizon, floor)
