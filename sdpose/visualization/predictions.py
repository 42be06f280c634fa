"""A page of pictures, each with its annotated people beside the predicted ones."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sdpose.io.pictures import read_picture, write_png

from .contact_sheet import contact_sheet
from .panel import draw_panel, window_of
from .skeleton import Skeleton

_GAP = 6
_LABELLED = 0.01  # flags of annotated joints are 1 or 2
# Pixels of a panel: more for few pictures, and for many joints.
_SIDE, _LARGE_SIDE, _FEW_PICTURES, _MANY_JOINTS = 480, 800, 2, 60


@dataclass
class PicturePeople:
    """The people of one picture; each has 3 K numbers x, y, v, in pixels.

    Attributes:
        path: Its file.
        annotated: Annotated people; None where the data say nothing of the picture.
        predicted: Predicted people, whose v are scores.
        scores: One for each predicted person.
    """

    path: str
    annotated: list[np.ndarray] | None = None
    predicted: list[np.ndarray] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)


def draw_page(pictures: Sequence[PicturePeople], skeleton: Skeleton, least: float, out: Path) -> None:
    """Draw pictures of a data set side by side, and write them as one PNG.

    Args:
        pictures: At least one.
        skeleton: Limbs and colors.
        least: Predicted joints with a smaller score are left out.
        out: PNG to write.

    Raises:
        DataError: If a picture cannot be read, or the PNG not be written.
    """
    large = len(pictures) <= _FEW_PICTURES or len(skeleton.joint_colors) >= _MANY_JOINTS
    pairs = [_draw_pair(picture, skeleton, least, _LARGE_SIDE if large else _SIDE) for picture in pictures]
    columns = max(1, round((len(pairs) / 1.5) ** 0.5))
    width = columns * (pairs[0].shape[1] + _GAP) + _GAP
    write_png(out, contact_sheet(pairs, width, _GAP, columns))


def _draw_pair(people: PicturePeople, skeleton: Skeleton, least: float, side: int) -> np.ndarray:
    """Annotated people on the left, the same part of the picture with predicted ones on the right."""
    image = read_picture(people.path)
    annotated = people.annotated or []
    limits = [_LABELLED] * len(annotated) + [least] * len(people.predicted)
    window = window_of([*annotated, *people.predicted], limits, image.shape)
    said = 'no annotation' if people.annotated is None else f'{len(annotated)} annotated'
    left = draw_panel(image, window, annotated, skeleton, f'{said}: {Path(people.path).name}', side)
    caption = f'{len(people.predicted)} predicted, joints with a score of {least:g} or more'
    right = draw_panel(image, window, people.predicted, skeleton, caption, side, people.scores, least)
    return np.hstack([left, np.full((left.shape[0], _GAP, 3), 255, np.uint8), right])
