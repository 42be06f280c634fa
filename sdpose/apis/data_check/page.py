"""A data check as a page with pictures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sdpose.errors import DataError
from sdpose.io.pictures import read_picture
from sdpose.preflight.in_depth import Finding, Inspection, SetReport
from sdpose.preflight.people import People
from sdpose.visualization import Skeleton
from sdpose.visualization.report_page import PAGE, Picture, address, draw_panels, histogram, render_page, write_page
from sdpose.visualization.scaling import evenly_spaced, scaled

from .text import facts

_SHOWN = 16  # people of a data set, or classes
_BINS = 24
_SIDE = 240


def write_data_page(inspection: Inspection, out: Path, title: str, config: str, expected: Sequence[str] = ()) -> Path:
    """Write the page.

    Args:
        inspection: What was found.
        out: Its folder.
        title: Of the page.
        config: The config.
        expected: What is known of the files of the data sets, line by line.
    """
    sets = [_describe(report, number) for number, report in enumerate(inspection.sets)]
    report = dict(
        title=title,
        config=config,
        errors=inspection.errors,
        warnings=len(inspection.findings) - inspection.errors,
        sets=sets,
        between=_said(inspection.between),
        expected=list(expected),
    )
    charts: dict[str, str] = {}
    pictures: dict[str, Any] = {}
    for each, own in zip(inspection.sets, sets, strict=True):
        charts |= _charts(each, own['id'])
        pictures[own['id']] = _pictures(each)
    write_page(out, report, render_page('data', report, charts, pictures=pictures))
    return out / PAGE


def _said(findings: Sequence[Finding]) -> list[dict[str, str]]:
    return [each._asdict() for each in sorted(findings, key=lambda found: found.level)]


def _describe(report: SetReport, number: int) -> dict[str, Any]:
    """The numbers of a data set, as the page reads them."""
    numbers = report.numbers
    joints = numbers.get('joints', [])
    return dict(
        id=f'set{number}',
        name=report.name,
        kind=report.kind,
        file=report.file,
        facts=facts(report),
        findings=_said(report.findings),
        count=numbers.get('people', numbers.get('images', 0)),
        counted='people' if 'people' in numbers else 'pictures',
        joints=joints,
        visible=any(joint['visible'] is not None for joint in joints),
        numbers=numbers,
    )


def _charts(report: SetReport, name: str) -> dict[str, str]:
    if report.people is None or not report.numbers.get('people'):
        return {}
    counts, heights = report.numbers['labelled'], report.people.boxes[:, 3]
    edges = [number - 0.5 for number in range(len(counts) + 1)]
    most = max(float(np.percentile(heights, 99.5)), 1.0)
    bars, ends = np.histogram(heights, bins=_BINS, range=(0, most))
    middle, up = {'median': float(np.median(heights))}, 'share of people'
    return {
        f'{name} joints': histogram(edges, counts, 'Labelled joints of a person', 'labelled joints', up, {}),
        f'{name} heights': histogram(ends.tolist(), bars.tolist(), 'Height of boxes', 'pixels', up, middle),
    }


def _pictures(report: SetReport) -> dict[str, list[Picture]]:
    """Examples, evenly spread over a data set."""
    shown: list[Picture] = []
    if report.people is not None and len(report.people):
        shown = _people(report, report.people)
    elif report.form == 'classes':
        shown = _classes(report)
    return {'Examples': shown} if shown else {}


def _people(report: SetReport, people: People) -> list[Picture]:
    skeleton = Skeleton.from_metainfo(report.metainfo)
    labelled = np.flatnonzero(people.labelled.any(axis=1))
    shown = []
    for place in labelled[evenly_spaced(len(labelled), _SHOWN)].tolist():
        path = report.paths.get(int(people.pictures[place]), '')
        try:
            image = read_picture(path)
        except DataError:  # which was told
            continue
        person = np.column_stack([people.joints[place], 2 * people.labelled[place]])
        width, height = people.boxes[place, 2:]
        caption = f'id {people.ids[place]}, {int(people.labelled[place].sum())} joints, box {width:.0f} x {height:.0f}'
        panels = draw_panels(image, [person], {'annotated': [person]}, skeleton)
        shown.append(Picture(caption, Path(path).name, panels))
    return shown


def _classes(report: SetReport) -> list[Picture]:
    names = report.metainfo.get('classes', [])
    first: dict[str, str] = {}
    for path in report.pictures:
        first.setdefault(Path(path).relative_to(report.folder).parts[0], path)
    shown = []
    for name in (names[place] for place in evenly_spaced(len(names), _SHOWN)):
        try:
            image = read_picture(first[name])
        except (DataError, KeyError):
            continue
        small = scaled(image, _SIDE / max(image.shape[:2]))
        shown.append(Picture(name, Path(first[name]).name, [(name, address(small))]))
    return shown
