"""The report on MPII's evaluation."""

from pathlib import Path
from typing import Any

import numpy as np

from sdpose.config.joint_names import joint_names
from sdpose.errors import DataError
from sdpose.evaluation.analysis.bootstrap import DRAWS, draw_images, interval
from sdpose.evaluation.analysis.pckh import PCKH_THRESHOLDS, head_distances, inverted_joints, mean_pckh, pckh
from sdpose.io.pictures import read_picture
from sdpose.visualization import Skeleton
from sdpose.visualization.report_page import (
    PAGE,
    Line,
    Picture,
    draw_panels,
    histogram,
    line_chart,
    render_page,
    say_faults,
    write_page,
)

from .plain import plain_number

FIELDS = {
    'image': 'img_path',
    'joints': 'pred_instances.keypoints',
    'true': 'gt_instances.keypoints',
    'visible': 'gt_instances.keypoints_visible',
    'head': 'gt_instances.head_size',
}
"""What the report reads of each sample, by the name of its array."""

_AT = (0.5, 0.2, 0.1)
_EDGES = np.linspace(0, 2, 41)  # sizes of heads
_HEADS = (0, 30, 60, 120, 1e5)  # pixels
_EACH = 4


class _People:
    """The people of a record: N of K joints, in pixels.

    Args:
        samples: The archive of the test.
        metainfo: The joints, as MMPose has them.
    """

    def __init__(self, samples: Path, metainfo: dict[str, Any]) -> None:
        with np.load(samples) as arrays:
            count = len(arrays['image'])
            self.images = arrays['image'].astype(str)
            self.joints = arrays['joints'].reshape(count, -1, 2).astype(float)
            self.true = arrays['true'].reshape(count, -1, 2).astype(float)
            self.labelled = arrays['visible'].reshape(count, self.joints.shape[1], -1)[..., 0] > 0
            self.heads = arrays['head'].reshape(count, -1)[:, 0].astype(float)
        self.names = joint_names(metainfo)
        found = (self.joints, self.true, self.labelled, self.heads)
        self.distances = head_distances(*found)
        self.inverted = inverted_joints(*found, np.asarray(metainfo['flip_indices']))


def write_pckh_report(
    samples: Path, out: Path, title: str, metainfo: dict[str, Any], speed: str = ''
) -> tuple[Path, list[str]]:
    """Tell on one page which joints of whom MPII's evaluation finds.

    Args:
        samples: The archive of the test, of ``FIELDS``.
        out: The folder for the page.
        title: Of the page.
        metainfo: The joints, as MMPose has them.
        speed: Of the test, in words.

    Returns:
        The page, and what a user should know of it.
    """
    people = _People(samples, metainfo)
    report = {'title': title, 'speed': speed, **_analyse(people)}
    pictures, faults = _draw(people, Skeleton.from_metainfo(metainfo))
    write_page(out, report, render_page('pckh', report, _charts(report), pictures=pictures))
    return out / PAGE, say_faults(faults)


def _analyse(people: _People) -> dict[str, Any]:
    """The numbers of the page."""
    distances, known = people.distances, ~np.isnan(people.distances)
    images, place = np.unique(people.images, return_inverse=True)
    weights = draw_images(len(images))[:, place]
    at = {threshold: pckh(distances, threshold) for threshold in _AT}
    groups = {'size of the head': _by_head(people.heads), 'labelled joints': _by_labelled(known)}
    return {
        'people': len(distances),
        'images': len(images),
        'draws': DRAWS,
        'pckh': {f'{threshold:g}': plain_number(mean_pckh(distances, threshold)) for threshold in _AT},
        'interval': interval(np.array([mean_pckh(distances, 0.5, weight) for weight in weights])),
        'joints': [
            {
                'name': name,
                'people': int(known[:, joint].sum()),
                'pckh': {f'{threshold:g}': plain_number(values[joint]) for threshold, values in at.items()},
                'median': plain_number(np.median(own) if len(own := distances[known[:, joint], joint]) else np.nan),
                'inverted': plain_number(people.inverted[:, joint].sum() / max(known[:, joint].sum(), 1)),
            }
            for joint, name in enumerate(people.names)
        ],
        'groups': {
            name: [
                dict(name=each, people=int(chosen.sum()), pckh=plain_number(mean_pckh(distances[chosen], 0.5)))
                for each, chosen in parts.items()
                if chosen.any()
            ]
            for name, parts in groups.items()
        },
        'thresholds': PCKH_THRESHOLDS.tolist(),
        'curves': {
            'mean': [plain_number(mean_pckh(distances, each)) for each in PCKH_THRESHOLDS],
            'joints': [[plain_number(value) for value in pckh(distances, each)] for each in PCKH_THRESHOLDS],
        },
        'distances': np.histogram(np.minimum(distances[known], _EDGES[-1]), _EDGES)[0].tolist(),
    }


def _by_head(heads: np.ndarray) -> dict[str, np.ndarray]:
    """Masks (N,) of people by the size of their heads."""
    return {
        f'{low} to {high} px' if high < _HEADS[-1] else f'over {low} px': (heads > low) & (heads <= high)
        for low, high in zip(_HEADS, _HEADS[1:])
    }


def _by_labelled(known: np.ndarray) -> dict[str, np.ndarray]:
    """Masks (N,) of people by the number of their labelled joints."""
    number, highest = known.sum(axis=1), (0, 5, 10, 15, known.shape[1])
    return {
        f'{low + 1}–{high}' if high > low + 1 else f'{high}': (number > low) & (number <= high)
        for low, high in zip(highest, highest[1:])
    }


def _charts(report: dict[str, Any]) -> dict[str, str]:
    at, curves = report['thresholds'], report['curves']
    known = [[value for value in row if value is not None] for row in curves['joints']]
    lines = [
        Line('best joint', at, [max(row, default=None) for row in known]),
        Line('mean', at, curves['mean']),
        Line('worst joint', at, [min(row, default=None) for row in known]),
    ]
    return {
        'pckh': line_chart(
            lines, 'PCKh over thresholds', 'distance, in sizes of the head', 'share of joints found', x=(0, 0.5)
        ),
        'distances': histogram(
            _EDGES.tolist(),
            report['distances'],
            'Histogram of the distances of joints',
            'distance, in sizes of the head',
            'share of joints',
            {'found at 0.5': 0.5},
        ),
    }


def _draw(people: _People, skeleton: Skeleton) -> tuple[dict[str, list[Picture]], list[str]]:
    """The best, typical and worst people by the median distance of their joints, and those with most inversions."""
    known = ~np.isnan(people.distances)
    places = np.flatnonzero(known.sum(axis=1) >= 0.5 * known.shape[1])
    medians = np.array([np.median(people.distances[place, known[place]]) for place in places])
    inverted = people.inverted[places].sum(axis=1)
    orders = {
        'Best': medians,
        'Typical': np.abs(medians - np.median(medians)) if len(medians) else medians,
        'Worst': -medians,
        'Inversion': np.where(inverted > 0, -inverted, np.nan),
    }
    drawn, faults = {}, []
    for title, rank in orders.items():
        pictures = []
        for place in places[np.argsort(rank, kind='stable')][: min(_EACH, int((~np.isnan(rank)).sum()))]:
            true = np.column_stack([people.true[place] - 1, 2 * people.labelled[place]])
            found = np.column_stack([people.joints[place], np.ones(len(true))])
            held = [true, np.column_stack([people.joints[place], people.labelled[place]])]
            path = str(people.images[place])
            try:
                panels = draw_panels(read_picture(path), held, {'annotated': [true], 'predicted': [found]}, skeleton)
            except DataError as error:
                faults.append(str(error))
                continue
            near = int((people.distances[place] < 0.5).sum())
            pictures.append(Picture(f'{near} of {known[place].sum()} joints found', Path(path).name, panels))
        if pictures:
            drawn[title] = pictures
    return drawn, faults
