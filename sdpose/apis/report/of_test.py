"""The report of a test that is to be run: whether there can be one, what it reads before, and writing it after."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from mmengine.config import Config
from mmengine.logging import MMLogger, print_log
from mmengine.runner import Runner

from sdpose.config.evaluators import is_coco, reads_head_boxes, tells_classes
from sdpose.config.nodes import as_list, inner_datasets, iter_datasets
from sdpose.errors import ConfigError
from sdpose.evaluation import describe_boxes
from sdpose.io.folders import require_writable

from .classes import FIELDS as CLASS_FIELDS
from .classes import write_class_report
from .inputs import Annotated, read_annotated
from .make import write_coco_report
from .pckh import FIELDS as JOINT_FIELDS
from .pckh import write_pckh_report

_RESULTS, _SAMPLES = 'results.json', 'samples.npz'
_OKS = ('keypoints', 'keypoints_crowd')


class TestReport(Protocol):
    """A report that is written after its test."""

    def write(self, logger: MMLogger, speed: str) -> None:
        """Make the report of what the test has written, with a sentence about its speed, and log where it is."""
        ...


def check_report(cfg: Config, report: str | None, out: str | None, **options: bool) -> str | None:
    """Refuse a report of a test that there is none of, and let the test write what it reads.

    Args:
        cfg: The config of the test, which gets a recording metric where results are no report's.
        report: The folder of the report; None for none.
        out: Where the results go, if that was said.
        **options: Those that leave nothing to report, by name.

    Returns:
        Where the results go: into the folder of the report, if they are COCO's and nothing was said.

    Raises:
        UserError: If the metric is none that a report is known of, or the folder cannot be written.
    """
    if report is None:
        return out
    for name in filter(options.get, options):
        option = f'--{name.replace("_", "-")}'
        raise ConfigError(f'--report tells why the metrics of the deployed model are what they are: leave out {option}')
    metrics = as_list(cfg.get('test_evaluator'))
    if len([each for each in metrics if _is_reported(each)]) != 1:
        raise ConfigError(
            f'--report tells of AP, PCKh or top-k accuracy: {cfg.filename} needs exactly one CocoMetric (of iou_type '
            f'{" or ".join(_OKS)}), MpiiMetric (norm_item head) or TopKAccuracy in test_evaluator'
        )
    require_writable(report, f'--report {report}')
    if any(map(is_coco, metrics)):
        return out or str(Path(report, _RESULTS))
    fields = JOINT_FIELDS if any(map(reads_head_boxes, metrics)) else CLASS_FIELDS
    record = dict(type='SampleRecord', out_file=str(Path(report, _SAMPLES)), fields=fields)
    cfg.test_evaluator = [*metrics, record]
    return out


def _is_reported(metric: dict[str, Any]) -> bool:
    """Whether a metric's config is one that a report is known of."""
    oks = is_coco(metric) and metric.get('iou_type', 'keypoints') in _OKS
    return oks or reads_head_boxes(metric) or tells_classes(metric)


def plan_report(runner: Runner, report: str, out: str | None) -> TestReport:
    """Read what a report needs, before the test.

    Args:
        runner: The runner of the test.
        report: The folder of the report.
        out: Where COCO's results go.

    Raises:
        UserError: If the data do not fit a report.
    """
    parts = [each for each in iter_datasets(runner.test_dataloader.dataset) if not inner_datasets(each)]
    if len(parts) != 1:
        raise ConfigError(f'--report tells of one data set, the test data of {runner.cfg.filename} are {len(parts)}')
    (dataset,) = parts
    metrics = as_list(runner.cfg.test_evaluator)
    config = runner.cfg.filename
    coco = next(filter(is_coco, metrics), None)
    if coco is None:
        kind = write_pckh_report if any(map(reads_head_boxes, metrics)) else write_class_report
        return _RecordedReport(kind, Path(report), config, dataset.metainfo)
    annotated = read_annotated(
        coco.get('ann_file') or dataset.ann_file,
        dataset.metainfo,
        coco.get('iou_type') == 'keypoints_crowd',
        coco.get('use_area', True),
    )
    images = dataset.data_prefix.get('img')
    return _CocoReport(annotated, str(out), Path(report), config, images, describe_boxes(dataset))


@dataclass(frozen=True)
class _CocoReport:
    """A report on COCO's or CrowdPose's evaluation.

    Attributes:
        annotated: The people that the test is about.
        results: Where the test writes.
        out: Where the page goes.
        config: The config of the test.
        images: The folder of the images.
        boxes: Which person boxes are used.
    """

    annotated: Annotated
    results: str
    out: Path
    config: str
    images: str | None
    boxes: str

    def write(self, logger: MMLogger, speed: str) -> None:
        """Make the report, and log where it is."""
        page, remarks = write_coco_report(
            self.annotated,
            self.results,
            self.out,
            config=self.config,
            images=self.images,
            boxes=self.boxes,
            speed=speed,
        )
        _say(logger, page, remarks)


@dataclass(frozen=True)
class _RecordedReport:
    """A report on what the test recorded of its samples.

    Attributes:
        kind: The function that writes it.
        out: Where the page goes.
        config: The config of the test.
        metainfo: Of its data set.
    """

    kind: Any
    out: Path
    config: str
    metainfo: dict[str, Any]

    def write(self, logger: MMLogger, speed: str) -> None:
        """Make the report, and log where it is."""
        _say(logger, *self.kind(self.out / _SAMPLES, self.out, Path(self.config).stem, self.metainfo, speed))


def _say(logger: MMLogger, page: Path, remarks: list[str]) -> None:
    for text in (*remarks, page):
        print_log(f'report: {text}', logger)
