"""A box for a person whom a tool annotated by joints alone, and an area for a box."""

from collections.abc import Sequence

MARGIN = 0.1
"""Of the longer side of what joints span: what is left around them."""
AREA = 0.53
"""Of a box: the area that MMPose takes for a person without one."""


def box_of_joints(joints: Sequence[tuple[float, float]], size: tuple[float, float]) -> list[float] | None:
    """What joints span and a tenth of its longer side around it, cut at the border of the picture.

    Args:
        joints: x, y of the labelled ones, one at least.
        size: Width and height of the picture.

    Returns:
        x, y, width, height; None if nothing of it is in the picture.
    """
    low, high = ([choose(values) for values in zip(*joints, strict=True)] for choose in (min, max))
    margin = MARGIN * max(high[0] - low[0], high[1] - low[1], 1)
    box = [low[0] - margin, low[1] - margin, *(high[axis] - low[axis] + 2 * margin for axis in (0, 1))]
    cut = cut_box(box, size)
    return None if cut is None else [round(each, 2) for each in cut]


def cut_box(box: Sequence[float], size: Sequence[float]) -> list[float] | None:
    """A box x, y, width, height within 0 ... size; None if nothing is left."""
    low = [max(box[axis], 0) for axis in (0, 1)]
    high = [min(box[axis] + box[axis + 2], size[axis]) for axis in (0, 1)]
    if any(high[axis] <= low[axis] or low[axis] >= size[axis] - 1 for axis in (0, 1)):
        return None
    return [*low, high[0] - low[0], high[1] - low[1]]


def area_of_box(box: Sequence[float]) -> float:
    """The area of the person in a box x, y, width, height, in square pixels."""
    return round(AREA * box[2] * box[3], 2)
