"""One picture: who stands where, in what surroundings, behind what."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sdpose.synthetic.drawing.canvas import Canvas
from sdpose.synthetic.drawing.sketch import Sketch
from sdpose.synthetic.people.annotate import Annotation, annotate
from sdpose.synthetic.people.camera import View
from sdpose.synthetic.people.kinematics import Body
from sdpose.synthetic.people.limbs import draw_arm, draw_leg
from sdpose.synthetic.people.person import Person, sample_person
from sdpose.synthetic.people.skeleton import COCO_17

from .background import draw_background
from .effects import add_noise, jpeg, photograph, sample_quality
from .levels import LEVELS, Level
from .props import OCCLUDERS, seat

Rng = np.random.Generator


@dataclass(frozen=True)
class Scene:
    """A drawn picture and what is in it.

    Attributes:
        image: (H, W, 3) uint8 BGR, before JPEG.
        tags: (H, W) uint16, person number times ``canvas.PERSON_STRIDE`` plus part.
        annotations: One per visible person.
        quality: JPEG quality the picture is to be stored with.
    """

    image: np.ndarray
    tags: np.ndarray
    annotations: tuple[Annotation, ...]
    quality: int

    def jpeg(self) -> bytes:
        """The picture as file content."""
        return jpeg(self.image, self.quality)


@dataclass(frozen=True)
class _Ground:
    """The floor all people of a picture share: the horizon's row and the camera's height in statures."""

    horizon: float
    camera: float


def _family(rng: Rng, level: Level) -> str:
    weights = np.array(list(level.families.values()))
    return str(rng.choice(list(level.families), p=weights / weights.sum()))


def _yaw(rng: Rng, level: Level) -> float:
    kind = rng.choice(3, p=level.views)
    return float(rng.uniform(-180, 180) if kind == 2 else 180 * kind + rng.normal(0, level.yaw_spread))


def _place(
    rng: Rng, level: Level, size: tuple[int, int], ground: _Ground, slot: float, cluster: float, tilt: float
) -> View:
    """A view whose foot stands on the common floor."""
    width, height = size
    stature = height * rng.uniform(*level.height)
    gathered = cluster + rng.normal(0, 0.32) * stature
    x = (1 - level.crowding) * slot + level.crowding * gathered
    y = ground.horizon + stature * ground.camera
    if rng.random() < level.whole:
        x = float(np.clip(x, 0.17 * stature, width - 0.17 * stature))
        y = float(np.clip(y, 1.02 * stature, max(1.02 * stature, 0.985 * height)))
    return View(
        (float(x), float(y)),
        float(stature),
        _yaw(rng, level),
        float(rng.normal(4, 2)),
        float(tilt + rng.normal(0, 0.4 * level.tilt)),
        float(rng.uniform(3, 6)),
    )


def _slot(slot: float, count: int, width: int, cluster: float, gap: float | None) -> float:
    """Column of a person whose place in a row of ``count`` is ``slot``: over the whole width, or around a cluster."""
    if gap is None:
        return slot * width / count
    return cluster + (slot - count / 2) * gap * width


def _cast(rng: Rng, level: Level, size: tuple[int, int]) -> tuple[_Ground, list[tuple[Person, View]]]:
    """People with their places, from far to near."""
    width, height = size
    count = 1 + int(rng.choice(len(level.people), p=level.people))
    ground = _Ground(height * rng.uniform(0.25, 0.45), rng.uniform(0.55, 0.85))
    slots = rng.permutation(count) + rng.uniform(0.25, 0.75, count)
    cluster, tilt = rng.uniform(0.2, 0.8) * width, rng.normal(0, 0.6 * level.tilt)
    gap = rng.uniform(*level.gap) if level.gap else None
    people = [
        (
            sample_person(rng, _family(rng, level)),
            _place(rng, level, size, ground, _slot(slot, count, width, cluster, gap), cluster, tilt),
        )
        for slot in slots
    ]
    return ground, sorted(people, key=lambda item: item[1].foot[1])


def _draw_person(canvas: Canvas, rng: Rng, person: Person, body: Body, view: View, number: int) -> None:
    """Shadow, seat and person."""
    (x, y), stature = view.foot, view.height
    canvas.darken((x, y), (0.26 * stature, 0.055 * stature), 0.28)
    if person.seated:
        hip = view.project(body.joint('pelvis'))
        top = float(hip[1]) + 0.045 * stature
        seat(canvas, rng, float(hip[0]), max(y, top + 0.1 * stature), max(y - top, 0.1 * stature))
    person.paint(canvas, body, view, number)


def _draw_occluder(canvas: Canvas, rng: Rng, people: list[tuple[Person, View]]) -> tuple[float, Callable[[], None]]:
    """An object before one of the people: its row on the floor and the function that draws it."""
    view = people[int(rng.integers(len(people)))][1]
    kind = OCCLUDERS[int(rng.integers(len(OCCLUDERS)))]
    x = view.foot[0] + rng.normal(0, 0.22) * view.height
    base = view.foot[1] + rng.uniform(0.02, 0.08) * view.height
    return base, lambda: kind(canvas, rng, x, base, view.height * rng.uniform(0.45, 0.7))


def _draw_stray(canvas: Canvas, rng: Rng, level: Level, covered: bool) -> None:
    """A limb that belongs to nobody: it reaches in from beyond the border or, if ``covered``, from behind an
    object.

    Its pixels carry person number 0.
    """
    (width, height), person = canvas.size, sample_person(rng, 'free')
    stature, side = height * rng.uniform(*level.height), ('left', 'right')[int(rng.integers(2))]
    is_arm = covered or rng.random() < 0.5
    view = View((0, 0), stature, rng.uniform(-180, 180))
    body = person.body(view)
    root, tip = view.project(
        np.stack([body.joint(f'{side}_{name}') for name in (('shoulder', 'wrist') if is_arm else ('hip', 'ankle'))])
    )
    border = 1.04 * width if tip[0] < root[0] else -0.04 * width
    at = np.array(
        [rng.uniform(0.1, 0.9) * width if covered else border, rng.uniform(0.5 if covered else 0.3, 0.8) * height]
    )
    view = View(tuple((at - root).tolist()), stature, view.yaw)
    sketch = Sketch()
    if is_arm:
        draw_arm(sketch, body, view, side, person.look, person.grip[0])
    else:
        draw_leg(sketch, body, view, side, person.look)
    sketch.paint(canvas, 0)
    if covered:
        cover = OCCLUDERS[int(rng.integers(2))]
        cover(canvas, rng, float(at[0]), float(at[1] + 0.12 * stature), 0.5 * stature)


def _paint(
    canvas: Canvas, rng: Rng, level: Level, people: list[tuple[Person, View]], bodies: list[tuple[Body, View]]
) -> None:
    """Everything that stands on the floor, from far to near, with distractors behind and between."""

    def draw(number: int) -> Callable[[], None]:
        (person, view), (body, _) = people[number], bodies[number]
        return lambda: _draw_person(canvas, rng, person, body, view, number + 1)

    items = [(view.foot[1], draw(number)) for number, (_, view) in enumerate(people)]
    items += [_draw_occluder(canvas, rng, people) for _ in range(int(rng.poisson(level.occluders)))]
    strays = int(rng.poisson(level.strays))
    for number in range(strays - strays // 3):
        _draw_stray(canvas, rng, level, number % 2 == 0)
    for _, paint in sorted(items, key=lambda item: item[0]):
        paint()
    for _ in range(strays // 3):
        _draw_stray(canvas, rng, level, False)


def draw_scene(level: str, size: tuple[int, int], *seed: int, labelled: Sequence[int] = COCO_17) -> Scene:
    """Draws a scene; the same arguments always give the same bytes.

    Args:
        level: Name in ``levels.LEVELS``.
        size: (width, height) in pixels.
        seed: Non-negative integers, for instance seed, split and index.
        labelled: Joints that will be written, see ``annotate``; the picture does not depend on them.
    """
    ranges, rng = LEVELS[level], np.random.default_rng(seed)
    canvas = Canvas(np.zeros((size[1], size[0], 3), np.uint8))
    ground, people = _cast(rng, ranges, size)
    floor = min(max(people[0][1].foot[1] - 0.06 * size[1], 0.4 * size[1]), 0.9 * size[1])
    draw_background(canvas, rng, min(ground.horizon, floor), floor)
    add_noise(canvas.image, rng, 'surface', float(rng.uniform(1.5, 4.5)))
    bodies = [(person.body(view), view) for person, view in people]
    _paint(canvas, rng, ranges, people, bodies)
    image = photograph(canvas.image, rng, ranges)
    return Scene(image, canvas.tags, annotate(canvas.tags, bodies, labelled), sample_quality(rng, ranges.jpeg))
