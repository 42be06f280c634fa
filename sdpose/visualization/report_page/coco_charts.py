"""The charts of the page on COCO's or CrowdPose's evaluation."""

from collections.abc import Callable, Sequence
from statistics import mean
from typing import Any

from .charts import Line, histogram, line_chart


def coco_charts(report: dict[str, Any]) -> dict[str, str]:
    """The charts of a COCO report by name."""
    run = report['run']
    charts = {**_curve_charts(run), **_score_charts(run)}
    if 'comparison' in report:
        found = report['comparison']['histogram']
        charts['gained'] = histogram(
            found['edges'],
            found['counts'],
            'Histogram of the difference in OKS, person by person',
            'OKS of this run less that of the other',
            'share of people',
            {'equal': 0.0},
        )
    return charts


def _curve_charts(run: dict[str, Any]) -> dict[str, str]:
    """Precision, AP over thresholds, PCK, and distances."""
    curves, joints = run['curves'], run['joints']
    precision = [Line(f'OKS {at}', curves['recall'], values) for at, values in curves['precision'].items()]
    known = [joint['pck'] for joint in joints if None not in joint['pck']]
    shares = [place / 100 for place in range(1, len(joints[0]['pck']) + 1)]
    pck = [Line(name, shares, [pick(each) for each in zip(*known)]) for name, pick in _PCK_LINES.items()]
    distances = run['distances']
    return {
        'precision': line_chart(precision, 'Precision over recall', 'recall', 'precision'),
        'thresholds': line_chart(
            [Line('AP', curves['thresholds'], curves['ap'], 'dots')],
            'AP at each threshold of OKS',
            'least OKS that counts as found',
            'AP',
            x=(0.5, 0.95),
        ),
        'pck': line_chart(
            pck,
            'Share of joints found, over the distance that counts as found',
            'distance, in longer sides of the box',
            'share of joints found',
            x=(0, 0.2),
        ),
        'distances': histogram(
            distances['edges'],
            distances['counts'],
            'Histogram of the distances of joints',
            'distance, in falloffs of OKS',
            'share of joints',
            {'0.85: good': 0.570, '0.5: near': 1.177},  # similarities
        ),
    }


_PCK_LINES: dict[str, Callable[[Sequence[float]], float]] = {
    'best joint': max,
    'mean of the joints': mean,
    'worst joint': min,
}


def _score_charts(run: dict[str, Any]) -> dict[str, str]:
    """Scores of people and of joints beside what they should tell."""
    charts = {}
    for name, value in (('people', 'mean OKS'), ('joints', 'mean similarity')):
        found = run['calibration'][name]
        low, high = min([0, *found['scores']]), max([1, *found['scores']])
        ideal = [Line('calibrated', (0, 1), (0, 1), 'reference')] if (low, high) == (0, 1) else []
        line = Line('this run', found['scores'], found['values'], 'dots')
        charts[f'score_{name}'] = line_chart(
            [line, *ideal], f'Calibration of the scores of {name}', 'mean score', value, x=(low, high)
        )
    return charts
