"""What cycles, or student and teacher, make of a crop side by side, and how far they are apart (SDPose, section 3.2).

Shapes: h and w the size of a crop in pixels, rows and columns those of a map over it, K joints.
"""

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from sdpose.visualization.skeleton import Skeleton
from sdpose.visualization.skeleton_drawing import draw_people

from .base import COLORS, SMALL, new_figure, show_crop, show_map

_SIDE = 2.6  # inches of the longer side of a crop
_BAR = 0.16  # inches of a joint's bar
_LETTERS = 14  # of a gap's name in an inch
_ENLARGED = 420  # pixels of a crop's height below a skeleton


class View(NamedTuple):
    """What one model, or one cycle, makes of a crop.

    Attributes:
        name: Its heading.
        person: (K, 3): x, y in pixels of the crop, and the score; None for a classifier.
        maps: Maps over the crop by their names, (rows, columns).
        classes: The probability of the likeliest classes, by name; for a classifier.
    """

    name: str
    person: np.ndarray | None
    maps: Mapping[str, np.ndarray]
    classes: Mapping[str, float] | None = None


class Gap(NamedTuple):
    """How far two views are from each other.

    Attributes:
        name: Its heading.
        bars: Numbers (K,) for each joint, by what they are.
        maps: Maps over the crop by what they are, (rows, columns); NaN where there is nothing to compare.
    """

    name: str
    bars: Mapping[str, np.ndarray]
    maps: Mapping[str, np.ndarray]


def draw_views(
    crop: np.ndarray,
    views: Sequence[View],
    gaps: Sequence[Gap],
    joints: Sequence[str],
    skeleton: Skeleton | None,
    title: str,
    of: str,
) -> Figure:
    """A row for each view, and below them one for each gap.

    Args:
        crop: (h, w, 3), uint8 RGB.
        views: Of cycles, or of student and teacher.
        gaps: Between them.
        joints: Names of the K joints.
        skeleton: Limbs and colors; None for a classifier.
        title: The heading.
        of: The model.
    """
    names = list(dict.fromkeys(name for view in views for name in view.maps))
    longer = max(crop.shape[:2])
    width, height = _SIDE * crop.shape[1] / longer, _SIDE * crop.shape[0] / longer + 0.35
    low = max(height, 0.6 + _BAR * len(joints))
    panels = max((len(gap.bars) + len(gap.maps) for gap in gaps), default=0)
    wide = max((1 + len(names)) * (width + 0.15) + 0.3, panels * 2.6, 5.5)
    heights = [len(views) * height, *[low] * len(gaps)]
    figure = new_figure(wide, sum(heights), title, of)
    parts: Any = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    grid = parts[0].subplots(len(views), 1 + len(names), squeeze=False)
    for row, view in zip(grid, views):
        _show_prediction(row[0], crop, view, skeleton)
        row[0].set_ylabel(view.name, fontsize=SMALL + 2)
        for axes, name in zip(row[1:], names):
            if name in view.maps:
                show_map(axes, crop, view.maps[name], f'{name}\nto {np.nanmax(view.maps[name]):.2g}')
            else:
                axes.set_axis_off()
                axes.set_title(f'no {name}', fontsize=SMALL, pad=3)
    for part, gap in zip(parts[1:], gaps):
        part.suptitle(fill(gap.name, int(wide * _LETTERS)), fontsize=SMALL + 1)
        _show_gap(part, crop, gap, joints)
    return figure


def _show_prediction(axes: Any, crop: np.ndarray, view: View, skeleton: Skeleton | None) -> None:
    """The skeleton over the crop, or the probabilities of classes."""
    if view.person is not None and skeleton is not None:
        drawn = draw_people(crop[..., ::-1], [view.person], skeleton, least=-np.inf, height=_ENLARGED, flags=False)
        show_crop(axes, drawn[..., ::-1], f'prediction\nmean score {view.person[:, 2].mean():.2f}')
        return
    classes = view.classes or {}
    axes.barh(range(len(classes)), list(classes.values()), color=COLORS[0])
    axes.set_yticks(range(len(classes)), list(classes), fontsize=SMALL)
    axes.invert_yaxis()
    axes.tick_params(axis='x', labelsize=SMALL)
    axes.set_title('likeliest classes\nprobability', fontsize=SMALL, pad=3)


def _show_gap(part: Any, crop: np.ndarray, gap: Gap, joints: Sequence[str]) -> None:
    """Bars for the joints, and maps."""
    every = part.subplots(1, max(1, len(gap.bars) + len(gap.maps)), squeeze=False)[0]
    for place, (axes, (name, values)) in enumerate(zip(every, gap.bars.items())):
        axes.barh(range(len(values)), values, color=COLORS[place % len(COLORS)])
        axes.set_yticks(range(len(joints)), joints if place == 0 else [''] * len(joints), fontsize=SMALL)
        axes.invert_yaxis()
        axes.margins(y=0.01)
        axes.tick_params(axis='x', labelsize=SMALL)
        axes.set_title(f'{name}\nmean {np.mean(values):.3g}', fontsize=SMALL, pad=3)
    for axes, (name, values) in zip(every[len(gap.bars) :], gap.maps.items()):
        show_map(axes, crop, values, f'{name}\nmean {np.nanmean(values):.3g}, to {np.nanmax(values):.3g}')
