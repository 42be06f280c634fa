"""Filling of the page's template."""

from collections.abc import Callable, Sequence
from statistics import mean
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from .charts import Line, histogram, line_chart

_MINUS, _NOTHING = '\N{MINUS SIGN}', '–'


def render_page(report: dict[str, Any], pictures: dict[str, list[Any]], differences: dict[str, list[Any]]) -> str:
    """The page of a report.

    Args:
        report: Its numbers, as ``sdpose.apis.report`` computes them.
        pictures: Examples by title, each with ``caption``, ``file`` and ``panels`` of a label and an address.
        differences: Likewise, of two runs that are compared.

    Returns:
        HTML that refers to nothing outside of it.
    """
    environment = Environment(
        loader=PackageLoader('sdpose.visualization', 'report_page'),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(percent=percent, signed=signed, gain=gain, bounds=bounds)
    charts = {name: Markup(chart) for name, chart in _charts(report).items()}
    template = environment.get_template('page.html.jinja')
    style = Markup(environment.get_template('style.css.jinja').render())
    return template.render(report=report, pictures=pictures, differences=differences, charts=charts, style=style)


def percent(value: float | None) -> str:
    """A share as per cent with one decimal; a dash for None and for COCO's -1."""
    return _NOTHING if value is None or value < 0 else f'{100 * value:.1f}'


def signed(value: float | None) -> str:
    """A difference of shares in points, with its sign; a dash for None."""
    if value is None:
        return _NOTHING
    text = f'{abs(100 * value):.1f}'
    return text if float(text) == 0 else f'{_MINUS if value < 0 else "+"}{text}'


def gain(value: float) -> str:
    """A difference of OKS, with its sign."""
    return f'{value:+.3f}'.replace('-', _MINUS)


def bounds(values: tuple[float, float], difference: bool = False) -> str:
    """An interval of shares in per cent, or in points with signs."""
    show = signed if difference else percent
    return f'{show(values[0])} to {show(values[1])}'


def _charts(report: dict[str, Any]) -> dict[str, str]:
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
