"""All data sets of a config in depth, and what lies between its splits."""

from collections.abc import Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS

from sdpose.config.nodes import Above, resolve_type
from sdpose.datasets import ClassFolderDataset
from sdpose.errors import ConfigError

from ..annotation_file import forget
from ..datasets import asked_of, check_evaluators, checked_datasets
from .alike import remarks_on_leaks
from .class_folders import inspect_classes
from .finding import WARNING, Finding, ask
from .keypoints import Progress, inspect_keypoints
from .report import Inspection, SetReport


def inspect_data(
    cfg: Config, splits: Sequence[str], workers: int = 1, progress: Progress = lambda d, t: None
) -> Inspection:
    """Look at everything of the data sets of some splits.

    The rules are those of the checks before a run, asked about every entry, and those that take decoding every picture.

    Args:
        cfg: The config.
        splits: Of ``'train'``, ``'val'``, ``'test'``.
        workers: Processes that decode pictures.
        progress: Called with the number of pictures of a data set that were looked at, and of all.

    Raises:
        ConfigError: If the splits have no data set that can be looked at.
    """
    init_default_scope('mmpose')
    reports: list[SetReport] = []
    looked: list[dict[str, Any]] = []
    between: list[Finding] = []
    for split in splits:
        for dataset, above, _ in checked_datasets(cfg, split):
            if (asked := asked_of(cfg, dataset, above, split)) in looked:
                reports[looked.index(asked)].name += f', {split}'
                continue
            looked.append(asked)
            reports.append(_inspect(cfg, dataset, above, split, workers, progress))
            forget()
        between += ask(partial(check_evaluators, cfg, split))
    if not reports:
        raise ConfigError(f'{cfg.filename}: {", ".join(splits)} have no data set of poses or of class folders')
    known = {_essence(each) for report in reports for each in report.findings}
    return Inspection(reports, [each for each in between if _essence(each) not in known] + _leaks(reports))


def _essence(finding: Finding) -> str:
    """A finding without what cures it, which differs by who misses a file."""
    return finding.text.partition(' is missing')[0]


def _inspect(
    cfg: Config, dataset: dict[str, Any], above: Above, split: str, workers: int, progress: Progress
) -> SetReport:
    kind = resolve_type(dataset, DATASETS)
    if kind is not None and issubclass(kind, ClassFolderDataset):
        report = inspect_classes(cfg, dataset, split, workers, progress)
    else:
        report = inspect_keypoints(cfg, dataset, above, split, workers, progress)
    if 'data_hint' in cfg and not Path(dataset.get('data_root') or '').exists():
        report.findings.append(Finding(WARNING, str(cfg.data_hint)))
    report.findings = list(dict.fromkeys(report.findings))
    return report


def _leaks(reports: Sequence[SetReport]) -> list[Finding]:
    """Pictures of what is measured that are in the training data."""
    findings = []
    for train, other in product(reports, reports):
        if 'train' not in train.name or 'train' in other.name:
            continue
        if (train.file, train.folder) == (other.file, other.folder):
            text = f'the {other.name} data are the training data, {other.file}: what is learnt by heart is measured'
            findings.append(Finding(WARNING, text))
        else:
            findings += remarks_on_leaks(other.name, other.pictures, train.name, train.pictures)
    return findings
