"""Making of a report on COCO's or CrowdPose's evaluation: from files to a folder with the page and its numbers."""

from pathlib import Path
from typing import Any

from sdpose.errors import DataError
from sdpose.io.folders import require_writable
from sdpose.visualization.report_page import PAGE, Picture, coco_charts, render_page, say_faults, write_page

from .analysis import Found, analyse, compare, numbers_of
from .inputs import Annotated, Results, metainfo_of, paper_metrics, read_annotated, read_run
from .pictures import choose_differences, choose_examples, draw_examples


def make_report(
    results: str | Path,
    annotations: str | Path,
    out: str | Path,
    other: str | Path | None = None,
    gt_boxes: str | Path | None = None,
    config: str | None = None,
    images: str | Path | None = None,
) -> tuple[Path, list[str]]:
    """Tell on one page why results have the AP that they have.

    Args:
        results: COCO key point results, of any framework.
        annotations: The annotation file to evaluate them with.
        out: The folder for ``index.html`` and ``report.json``.
        other: Results to compare with.
        gt_boxes: Results of the same model with annotated boxes, whose numbers stand beside.
        config: A config of the data's joints, and of the published numbers.
        images: The folder of the images; without it the page has no pictures.

    Returns:
        The page, and what a user should know of it.

    Raises:
        UserError: If a file is missing, damaged, or does not fit the annotations, or ``out`` cannot be written.
    """
    if images is not None and not Path(images).is_dir():
        raise DataError(f'the folder of images {images} does not exist')
    require_writable(out, f'--out {out}')
    annotated = read_annotated(annotations, metainfo_of(config) if config else None)
    return write_coco_report(annotated, results, Path(out), other, gt_boxes, config, images)


def write_coco_report(
    annotated: Annotated,
    results: str | Path,
    out: Path,
    other: str | Path | None = None,
    gt_boxes: str | Path | None = None,
    config: str | None = None,
    images: str | Path | None = None,
    boxes: str = '',
    speed: str = '',
) -> tuple[Path, list[str]]:
    """Analyse, draw and write; as :func:`make_report`, with annotations that were read, boxes and speed in words."""
    runs = [read_run(file, annotated) for file in (results, other) if file is not None]
    found = [analyse(annotated, run) for run in runs]
    report: dict[str, Any] = {
        'title': Path(config).stem if config else Path(results).name,
        'boxes': boxes,
        'speed': speed,
        'paper': paper_metrics(config) if config else {},
        'run': found[0].numbers,
    }
    if gt_boxes is not None:
        report['gt_boxes'] = numbers_of(annotated, read_run(gt_boxes, annotated))
    if len(runs) > 1:
        report['other'], report['other_title'] = found[1].numbers, Path(runs[1].file).name
        report['comparison'] = compare(annotated, runs[0], runs[1], (found[0], found[1]))
    pictures, faults = _draw(annotated, runs, found, images)
    write_page(out, report, render_page('coco', report, coco_charts(report), **pictures))
    return out / PAGE, [*found[0].numbers['remarks'], *say_faults(faults)]


def _draw(
    annotated: Annotated, runs: list[Results], found: list[Found], images: str | Path | None
) -> tuple[dict[str, dict[str, list[Picture]]], list[str]]:
    """The pictures of a run, and of its differences from another one; none without images.

    Returns:
        Pictures by title for each name of the page, and what is wrong with images that could not be read.
    """
    pictures: dict[str, dict[str, list[Picture]]] = {'pictures': {}, 'differences': {}}
    faults: list[str] = []
    if images is not None:
        pictures['pictures'], faults = draw_examples(choose_examples(runs[0], found[0]), annotated, runs[:1], images)
        if len(runs) > 1:
            chosen = choose_differences(runs[0], (found[0], found[1]))
            pictures['differences'], more = draw_examples(chosen, annotated, runs, images)
            faults += more
    return pictures, faults
