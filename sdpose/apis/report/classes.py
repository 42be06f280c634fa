"""The report on a classification."""

from pathlib import Path
from typing import Any

import numpy as np

from sdpose.errors import DataError
from sdpose.evaluation.analysis.bootstrap import DRAWS, interval
from sdpose.evaluation.analysis.calibration import calibrate
from sdpose.evaluation.analysis.confusion import class_numbers, confusion, ranks
from sdpose.io.pictures import read_picture
from sdpose.visualization.report_page import (
    PAGE,
    Line,
    Picture,
    address,
    line_chart,
    render_page,
    say_faults,
    write_page,
)
from sdpose.visualization.scaling import scaled

from .inputs import paper_metrics
from .plain import plain_number

FIELDS = {'image': 'img_path', 'scores': 'pred_score', 'label': 'gt_label'}
"""What the report reads of each sample, by the name of its array."""

_TOP = (1, 2, 3, 5, 10)
_WORST, _PAIRS, _PICTURES = 20, 20, 12
_SIDE = 240


def write_class_report(
    samples: Path, out: Path, title: str, metainfo: dict[str, Any], speed: str = ''
) -> tuple[Path, list[str]]:
    """Tell on one page which classes are taken for which.

    Args:
        samples: The archive of the test, of ``FIELDS``.
        out: The folder for the page.
        title: Of the page.
        metainfo: With the names of the ``classes``.
        speed: Of the test, in words.

    Returns:
        The page, and what a user should know of it.
    """
    with np.load(samples) as arrays:
        images, scores, labels = arrays['image'].astype(str), arrays['scores'].astype(float), arrays['label'].ravel()
    names = list(metainfo['classes'])
    report = {'title': title, 'speed': speed, 'paper': paper_metrics(title), **_analyse(scores, labels, names)}
    pictures, faults = _draw(images, scores, labels, names)
    write_page(out, report, render_page('classes', report, _charts(report), pictures=pictures))
    return out / PAGE, say_faults(faults)


def _analyse(scores: np.ndarray, labels: np.ndarray, names: list[str]) -> dict[str, Any]:
    """The numbers of the page."""
    ahead, table = ranks(scores, labels), confusion(scores, labels)
    right, highest = ahead == 0, np.nan_to_num(scores).max(axis=1)
    # As often as a resample of the images holds right ones.
    resampled = np.random.default_rng(0).binomial(len(labels), right.mean(), DRAWS)
    wrong = table - np.diag(table.diagonal())
    order = np.argsort(-wrong, axis=None, kind='stable')[:_PAIRS]
    calibration = calibrate(highest, right.astype(float))
    return {
        'images': len(labels),
        'classes': len(names),
        'draws': DRAWS,
        'top': {str(k): float((ahead < k).mean()) for k in _TOP if k < len(names)},
        'interval': interval(resampled / len(labels)),
        'worst': [each._asdict() for each in class_numbers(table, names)[:_WORST]],
        'pairs': [
            dict(name=names[own], taken_for=names[other], images=int(wrong[own, other]))
            for own, other in zip(*np.unravel_index(order, wrong.shape))
            if wrong[own, other]
        ],
        'calibration': {
            'scores': calibration.scores.tolist(),
            'values': calibration.values.tolist(),
            'error': plain_number(calibration.error),
        },
    }


def _charts(report: dict[str, Any]) -> dict[str, str]:
    found = report['calibration']
    lines = [
        Line('this run', found['scores'], found['values'], 'dots'),
        Line('calibrated', (0, 1), (0, 1), 'reference'),
    ]
    return {'calibration': line_chart(lines, 'Calibration of the probabilities', 'mean probability', 'share right')}


def _draw(
    images: np.ndarray, scores: np.ndarray, labels: np.ndarray, names: list[str]
) -> tuple[dict[str, list[Picture]], list[str]]:
    """The mistakes of the highest probability."""
    wrong = np.flatnonzero(ranks(scores, labels) > 0)
    taken = np.nan_to_num(scores).argmax(axis=1)
    order = wrong[np.argsort(-np.nan_to_num(scores)[wrong, taken[wrong]], kind='stable')][:_PICTURES]
    pictures, faults = [], []
    for place in order.tolist():
        path = str(images[place])
        try:
            image = read_picture(path)
        except DataError as error:
            faults.append(str(error))
            continue
        image = scaled(image, _SIDE / max(image.shape[:2]))
        other = names[taken[place]]
        caption = f'{names[labels[place]]}, taken for {other} ({scores[place, taken[place]]:.2f})'
        pictures.append(Picture(caption, Path(path).name, [(other, address(image))]))
    return ({'Surest mistakes': pictures} if pictures else {}), faults
