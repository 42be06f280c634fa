"""Making of a report: from files, or from a test, to a folder with the page and its numbers."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.logging import MMLogger, print_log
from mmengine.runner import Runner

from sdpose.config.evaluators import is_coco
from sdpose.config.nodes import as_list, inner_datasets, iter_datasets
from sdpose.errors import ConfigError, DataError, first_few
from sdpose.evaluation import describe_boxes
from sdpose.io.atomic import atomic_write
from sdpose.io.folders import require_writable
from sdpose.visualization.report_page import coco_charts, render_page

from .analysis import analyse, compare, numbers_of
from .inputs import Annotated, metainfo_of, paper_metrics, read_annotated, read_run
from .pictures import choose_differences, choose_examples, draw_examples

PAGE, NUMBERS, RESULTS = 'index.html', 'report.json', 'results.json'


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
    return _make(annotated, results, Path(out), other, gt_boxes, config, images)


@dataclass(frozen=True)
class TestReport:
    """The report of a test that is to be run.

    Attributes:
        annotated: The people that the test is about.
        out: Where the page goes.
        config: The config of the test.
        images: The folder of the images.
        boxes: Which person boxes are used.
    """

    annotated: Annotated
    out: Path
    config: str
    images: str | None
    boxes: str

    @classmethod
    def of(cls, runner: Runner, out: str | Path) -> 'TestReport':
        """Read what a report needs, before the test.

        Raises:
            UserError: If the data do not fit a report.
        """
        whole: Any = runner.test_dataloader.dataset
        parts = [each for each in iter_datasets(whole) if not inner_datasets(each)]
        if len(parts) != 1:
            raise ConfigError(
                f'--report tells of one data set, the test data of {runner.cfg.filename} are {len(parts)}'
            )
        dataset = parts[0]
        metric = next(each for each in as_list(runner.cfg.test_evaluator) if is_coco(each))
        annotated = read_annotated(
            metric.get('ann_file') or dataset.ann_file,
            dataset.metainfo,
            metric.get('iou_type') == 'keypoints_crowd',
            metric.get('use_area', True),
        )
        images = dataset.data_prefix.get('img')
        return cls(annotated, Path(out), runner.cfg.filename, images, describe_boxes(dataset))

    def write(self, results: str | Path, logger: MMLogger) -> None:
        """Make the report of the results that the test has written, and log where it is."""
        page, remarks = _make(
            self.annotated, results, self.out, config=self.config, images=self.images, boxes=self.boxes
        )
        for text in (*remarks, page):
            print_log(f'report: {text}', logger)


def check_report(cfg: Config, report: str | None, out: str | None, **options: bool) -> str | None:
    """Refuse a report of a test that does not score one set of COCO's or CrowdPose's people.

    Args:
        cfg: The config of the test.
        report: The folder of the report; None for none.
        out: Where the results go, if that was said.
        **options: Those that leave nothing to report, by name.

    Returns:
        Where the results go: into the folder of the report, if there is one and nothing was said.

    Raises:
        UserError: If so, or the folder cannot be written.
    """
    if report is None:
        return out
    for name in filter(options.get, options):
        option = f'--{name.replace("_", "-")}'
        raise ConfigError(f'--report tells why the metrics of the deployed model are what they are: leave out {option}')
    metrics = [each for each in as_list(cfg.get('test_evaluator')) if is_coco(each)]
    if len(metrics) != 1 or metrics[0].get('iou_type', 'keypoints') not in ('keypoints', 'keypoints_crowd'):
        raise ConfigError(
            f'--report tells of COCO or CrowdPose AP: {cfg.filename} needs exactly one CocoMetric in test_evaluator'
        )
    require_writable(report, f'--report {report}')
    return out or str(Path(report, RESULTS))


def _make(
    annotated: Annotated,
    results: str | Path,
    out: Path,
    other: str | Path | None = None,
    gt_boxes: str | Path | None = None,
    config: str | None = None,
    images: str | Path | None = None,
    boxes: str = '',
) -> tuple[Path, list[str]]:
    """Analyse, draw and write; see :func:`make_report`."""
    runs = [read_run(file, annotated) for file in (results, other) if file is not None]
    found = [analyse(annotated, run) for run in runs]
    report: dict[str, Any] = {
        'title': Path(config).stem if config else Path(results).name,
        'boxes': boxes,
        'paper': paper_metrics(config) if config else {},
        'run': found[0].numbers,
    }
    if gt_boxes is not None:
        report['gt_boxes'] = numbers_of(annotated, read_run(gt_boxes, annotated))
    examples = [(runs[:1], choose_examples(runs[0], found[0]))]
    if len(runs) > 1:
        report['other'], report['other_title'] = found[1].numbers, Path(runs[1].file).name
        report['comparison'] = compare(annotated, runs[0], runs[1], (found[0], found[1]))
        examples.append((runs, choose_differences(runs[0], (found[0], found[1]))))
    drawn: list[dict[str, Any]] = [{}, {}]
    faults: list[str] = []
    for place, (shown, chosen) in enumerate(examples if images is not None else ()):
        drawn[place], own = draw_examples(chosen.items(), annotated, shown, str(images))
        faults += own
    page = render_page('coco', report, coco_charts(report), pictures=drawn[0], differences=drawn[1])
    for name, content in ((NUMBERS, json.dumps(report, indent=1, allow_nan=False)), (PAGE, page)):
        with atomic_write(out / name, 'w', encoding='utf-8') as file:
            file.write(content)
    said = [f'{len(faults)} pictures are left out: {first_few(faults, 1)}'] if faults else []
    return out / PAGE, [*found[0].numbers['remarks'], *said]
