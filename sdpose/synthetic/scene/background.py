"""Surroundings: a room, a park, a street or a plain backdrop, with a floor that people stand on."""
from typing import Callable

import numpy as np

from sdpose.synthetic.drawing.canvas import Canvas
from sdpose.synthetic.drawing.palette import foliage, muted, vertical_gradient, wood
from sdpose.synthetic.people.appearance import shade

from .props import FURNITURE

Rng = np.random.Generator


def _perspective_floor(canvas: Canvas, rng: Rng, horizon: float, top: float) -> None:
    """Floor boards or tiles that run towards a vanishing point on the horizon."""
    width, height = canvas.size
    color = wood(rng) if rng.random() < .6 else muted(rng, saturation=(.02, .15), value=(.5, .8))
    vertical_gradient(canvas.image, int(top), height, shade(color, .88), shade(color, 1.05))
    line, horizon = shade(color, .78), min(horizon, top - 0.05 * height)
    centre, gap = rng.uniform(.3, .7) * width, width * rng.uniform(.08, .2)
    shrink = (top - horizon) / (height - horizon)
    for k in range(-14, 15):
        x = centre + k * gap
        canvas.line((centre + (x - centre) * shrink, top), (x, height), line)
    if rng.random() < .6:
        for k in range(1, 7):
            y = horizon + (height - horizon) / (1 + .45 * k)
            if y > top:
                canvas.line((0, y), (width, y), line)


def _window(canvas: Canvas, rng: Rng, x: float, y: float, w: float, h: float) -> None:
    frame, sky = shade((235, 238, 240), rng.uniform(.8, 1)), muted(rng, (.5, .6), (.1, .35), (.75, .95))
    canvas.rect(x, y, x + w, y + h, frame)
    canvas.rect(x + .06 * w, y + .05 * h, x + .94 * w, y + .95 * h, sky)
    canvas.rect(x + .06 * w, y + .66 * h, x + .94 * w, y + .95 * h, foliage(rng))
    canvas.rect(x + .48 * w, y, x + .52 * w, y + h, frame)
    if rng.random() < .5:
        curtain = muted(rng, value=(.6, .9))
        for x0 in (x - .12 * w, x + .88 * w):
            canvas.rect(x0, y - .05 * h, x0 + .24 * w, y + 1.1 * h, curtain)
            canvas.rect(x0 + .09 * w, y - .05 * h, x0 + .13 * w, y + 1.1 * h, shade(curtain, .9))


def _picture(canvas: Canvas, rng: Rng, x: float, y: float, w: float, h: float) -> None:
    canvas.rect(x, y, x + w, y + h, shade(wood(rng), .7))
    inner = muted(rng, value=(.6, .9))
    canvas.rect(x + .08 * w, y + .08 * h, x + .92 * w, y + .92 * h, inner)
    canvas.fill(
        np.array([(x + .1 * w, y + .9 * h), (x + rng.uniform(.3, .7) * w, y + rng.uniform(.3, .6) * h),
                  (x + .9 * w, y + .9 * h)]), muted(rng))


def _shelf(canvas: Canvas, rng: Rng, x: float, y: float, w: float, h: float) -> None:
    color = wood(rng)
    canvas.rect(x, y, x + w, y + h, shade(color, .6))
    for k in range(3):
        low, at = y + (k + 1) * h / 3, x + .03 * w
        while at < x + .9 * w:
            thick = w * rng.uniform(.04, .09)
            canvas.rect(at, low - h * rng.uniform(.18, .28), at + thick, low,
                        muted(rng, saturation=(.1, .4), value=(.35, .8)))
            at += thick * (1 if rng.random() < .8 else 2.5)
        canvas.rect(x, low - .02 * h, x + w, low + .02 * h, color)


def _door(canvas: Canvas, rng: Rng, x: float, y: float, w: float, h: float) -> None:
    color = wood(rng) if rng.random() < .5 else muted(rng, value=(.6, .9))
    canvas.rect(x - .06 * w, y - .03 * h, x + 1.06 * w, y + h, shade(color, .8))
    canvas.rect(x, y, x + w, y + h, color)
    for top in (.08, .55):
        canvas.rect(x + .15 * w, y + top * h, x + .85 * w, y + (top + .36) * h, shade(color, .9))
    canvas.disc((x + .9 * w, y + .52 * h), .04 * w, (60, 140, 170))


def room(canvas: Canvas, rng: Rng, horizon: float, floor: float) -> None:
    """A room: papered wall, things on the wall, furniture along it."""
    (width, height), wall = canvas.size, muted(rng, saturation=(.03, .28), value=(.6, .92))
    vertical_gradient(canvas.image, 0, int(floor) + 1, shade(wall, .95), shade(wall, 1.03))
    paper = rng.random()
    if paper < .25:
        step = width * rng.uniform(.03, .08)
        for k in range(0, int(width / step) + 1, 2):
            canvas.rect(k * step, 0, (k + 1) * step, floor, shade(wall, .95))
    elif paper < .4:
        canvas.rect(0, floor - .3 * height, width, floor, shade(wall, .85))
    elif paper < .52:
        brick = height * .04
        for row in range(int(floor / brick) + 1):
            canvas.line((0, row * brick), (width, row * brick), shade(wall, .88))
            for k in range(int(width / brick / 2.2) + 2):
                x = (k + .5 * (row % 2)) * 2.2 * brick
                canvas.line((x, row * brick), (x, (row + 1) * brick), shade(wall, .88))
    _perspective_floor(canvas, rng, horizon, floor)
    canvas.rect(0, floor - .025 * height, width, floor, shade(wall, 1.12))
    for x in rng.permutation(4)[:int(rng.integers(1, 4))]:
        left, w = (x + rng.uniform(.1, .35)) * width / 4, width * rng.uniform(.12, .2)
        kind = rng.choice(4, p=[.3, .35, .15, .2])
        if kind == 3:
            _door(canvas, rng, left, floor - .62 * height, .16 * width, .6 * height)
        else:
            top = floor - height * rng.uniform(.55, .8)
            (_window, _picture, _shelf)[kind](canvas, rng, left, top, w, w * rng.uniform(.8, 1.5))
    for _ in range(int(rng.integers(0, 3))):
        piece = FURNITURE[int(rng.integers(len(FURNITURE)))]
        piece(canvas, rng, rng.uniform(0, 1) * width, floor + .04 * height, height * rng.uniform(.22, .4))


def _tree(canvas: Canvas, rng: Rng, x: float, base: float, size: float) -> None:
    trunk, leaf = wood(rng), foliage(rng)
    canvas.rect(x - .04 * size, base - .5 * size, x + .04 * size, base, shade(trunk, .7))
    if rng.random() < .3:
        for k in range(3):
            y, w = base - (.2 + .22 * k) * size, (.3 - .07 * k) * size
            canvas.fill(np.array([(x - w, y), (x + w, y), (x, y - .42 * size)]), shade(leaf, .85 + .1 * k))
        return
    for k, (dx, dy) in enumerate(rng.normal(0, .12, (7, 2)) * size):
        canvas.disc((x + 1.4 * dx, base - .72 * size + dy), size * rng.uniform(.14, .24),
                    shade(leaf, .8 + .06 * k))


def _sky(canvas: Canvas, rng: Rng, horizon: float) -> None:
    top, width = muted(rng, (.53, .6), (.12, .4), (.7, .92)), canvas.size[0]
    vertical_gradient(canvas.image, 0, int(horizon) + 1, top, (236, 232, 226))
    for _ in range(int(rng.integers(0, 4))):
        x, y, size = rng.uniform(0, width), rng.uniform(.05, .7) * horizon, width * rng.uniform(.02, .05)
        for k in range(4):
            canvas.disc((x + (k - 1.5) * size, y + rng.normal(0, .15) * size), size * rng.uniform(.6, 1),
                        (242, 240, 238))


def park(canvas: Canvas, rng: Rng, horizon: float, floor: float) -> None:
    """A meadow with hills, trees, and perhaps a path."""
    (width, height), grass = canvas.size, foliage(rng)
    line = min(horizon, floor)
    _sky(canvas, rng, line)
    for k in range(2):
        x = np.linspace(0, width, 9)
        y = line - height * (.10 - .05 * k) * (1 +
                                               .6 * np.sin(x / width * rng.uniform(3, 8) + rng.uniform(0, 6)))
        hill = np.concatenate([np.stack([x, y], 1), [(width, line + 2), (0, line + 2)]])
        canvas.fill_any(hill, shade(muted(rng, (.25, .45), (.12, .3), (.5, .7)), 1 - .1 * k))
    vertical_gradient(canvas.image, int(line), height, shade(grass, 1.0), shade(grass, 1.25))
    if rng.random() < .5:
        x0, x1 = rng.uniform(.2, .8, 2) * width
        path = muted(rng, (.08, .13), (.1, .25), (.6, .8))
        canvas.fill(np.array([(x0 - .02 * width, line), (x0 + .02 * width, line), (x1 + .3 * width, height),
                              (x1 - .3 * width, height)]), path)
    for size in np.sort(rng.uniform(.18, .75, int(rng.integers(2, 7)))):
        _tree(canvas, rng,
              rng.uniform(-.05, 1.05) * width, min(line + .12 * size * height, floor + .05 * height),
              size * height)


def street(canvas: Canvas, rng: Rng, horizon: float, floor: float) -> None:
    """House fronts behind a pavement and a road."""
    (width, height), line = canvas.size, floor - .02 * canvas.size[1]
    _sky(canvas, rng, line)
    x = -rng.uniform(0, .2) * width
    while x < width:
        w, top = width * rng.uniform(.18, .4), line - height * rng.uniform(.45, 1.0)
        front, glass = muted(rng, saturation=(.05, .3),
                             value=(.5, .85)), muted(rng, (.5, .62), (.1, .3), (.35, .75))
        canvas.rect(x, top, x + w, line, front)
        columns, step = max(2, int(w / (.085 * width))), .15 * height
        for row in range(max(1, int((line - top) / step))):
            for k in range(columns):
                left, upper = x + (k + .22) * w / columns, top + (row + .25) * step
                canvas.rect(left, upper, left + .56 * w / columns, upper + .55 * step, glass)
        canvas.rect(x, line - .03 * height, x + w, line, shade(front, .8))
        x += w
    stone = muted(rng, saturation=(.02, .1), value=(.55, .75))
    vertical_gradient(canvas.image, int(line), height, shade(stone, .92), shade(stone, 1.05))
    curb = line + (height - line) * rng.uniform(.5, 1.3)
    canvas.rect(0, curb, width, height + 2, shade(stone, .62))
    canvas.rect(0, curb, width, curb + .015 * height, shade(stone, 1.15))
    for k in range(10):
        at = (k + .5) * width / 10
        canvas.line((width / 2 + (at - width / 2) * .8, line), (at, min(curb, height)), shade(stone, .85))


def studio(canvas: Canvas, rng: Rng, horizon: float, floor: float) -> None:
    """A paper backdrop that bends into the floor."""
    color, height = muted(rng, saturation=(.02, .35), value=(.5, .9)), canvas.size[1]
    vertical_gradient(canvas.image, 0, int(floor), shade(color, 1.05), shade(color, .96))
    vertical_gradient(canvas.image, int(floor), min(height, int(floor + .12 * height)), shade(color, .96),
                      shade(color, 1.1))
    vertical_gradient(canvas.image, int(floor + .12 * height), height, shade(color, 1.1), shade(color, 1.05))


PLACES: dict[str, Callable[[Canvas, Rng, float, float], None]] = dict(room=room,
                                                                      park=park,
                                                                      street=street,
                                                                      studio=studio)


def draw_background(canvas: Canvas, rng: Rng, horizon: float, floor: float) -> None:
    """Draws the surroundings.

    Args:
        horizon: Row of the horizon.
        floor: Row above which nobody stands.
    """
    place = str(rng.choice(list(PLACES), p=[.42, .25, .23, .10]))
    PLACES[place](canvas, rng, horizon, floor)
