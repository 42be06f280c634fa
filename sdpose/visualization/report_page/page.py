"""Filling of the page's template."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

_MINUS, _NOTHING = '\N{MINUS SIGN}', '–'


def render_page(kind: str, report: dict[str, Any], charts: dict[str, str], **pictures: dict[str, list[Any]]) -> str:
    """The page of a report.

    Args:
        kind: ``'coco'``, ``'pckh'``, ``'classes'``, ``'data'`` or ``'table'``.
        report: Its numbers, as the rooms of ``sdpose.apis`` that make such pages compute them.
        charts: SVG by name.
        **pictures: By name, examples by title: ``caption``, ``file``, and ``panels`` of a label and an address.

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
    drawn = {name: Markup(chart) for name, chart in charts.items()}
    style = Markup(environment.get_template('style.css.jinja').render())
    template = environment.get_template(f'{kind}.html.jinja')
    return template.render(report=report, charts=drawn, style=style, **pictures)


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
