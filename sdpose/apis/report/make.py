"""Making of a report: from files to a folder with the page and its numbers."""

import json
from pathlib import Path
from typing import Any

from sdpose.errors import DataError, first_few
from sdpose.evaluation.coco.numbers import coco_numbers, crowd_numbers
from sdpose.io.atomic import atomic_write
from sdpose.io.folders import require_writable
from sdpose.visualization.report_page import render_page

from .analysis import analyse, compare
from .inputs import paper_metrics, read_annotated, read_run
from .pictures import choose_differences, choose_examples, draw_examples

PAGE, NUMBERS = 'index.html', 'report.json'


def make_report(
    results: str | Path,
    annotations: str | Path,
    out: str | Path,
    other: str | Path | None = None,
    gt_boxes: str | Path | None = None,
    config: str | None = None,
    images: str | Path | None = None,
    boxes: str = '',
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
        boxes: Which person boxes were used, in words.

    Returns:
        The page, and what a user should know of it.

    Raises:
        UserError: If a file is missing, damaged, or does not fit the annotations, or ``out`` cannot be written.
    """
    if images is not None and not Path(images).is_dir():
        raise DataError(f'the folder of images {images} does not exist')
    require_writable(out, f'--out {out}')
    annotated = read_annotated(annotations, config)
    runs = [read_run(file, annotated) for file in filter(None, (results, other))]
    found = [analyse(annotated, run) for run in runs]
    report: dict[str, Any] = {
        'title': Path(config).stem if config else Path(results).name,
        'boxes': boxes,
        'paper': paper_metrics(config) if config else {},
        'run': found[0].numbers,
    }
    if len(runs) > 1:
        report['other'], report['other_title'] = found[1].numbers, Path(str(other)).name
        report['comparison'] = compare(annotated, runs[0], runs[1], (found[0], found[1]))
    if gt_boxes is not None:
        run = read_run(gt_boxes, annotated).evaluation
        numbers = crowd_numbers if annotated.crowd else lambda *each: coco_numbers(*each)[0]
        report['gt_boxes'] = {'numbers': numbers(run.candidates, run.truth, run.sigmas, not annotated.crowd)}
    pictures, differences, faults = {}, {}, []
    if images is not None:
        pictures, faults = draw_examples(choose_examples(runs[0], found[0]).items(), annotated, runs[:1], images)
        if len(runs) > 1:
            chosen = choose_differences(runs[0], (found[0], found[1])).items()
            differences, more = draw_examples(chosen, annotated, runs, images)
            faults += more
    _write(Path(out), report, render_page(report, pictures, differences))
    said = [f'{len(faults)} pictures are left out: {first_few(faults, 1)}'] if faults else []
    return Path(out) / PAGE, [*found[0].numbers['remarks'], *said]


def _write(folder: Path, report: dict[str, Any], page: str) -> None:
    """Write the numbers, then the page."""
    for name, content in ((NUMBERS, json.dumps(report, indent=1, allow_nan=False)), (PAGE, page)):
        with atomic_write(folder / name, 'w', encoding='utf-8') as file:
            file.write(content)
