"""A data set of class folders in depth."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from torchvision.datasets.folder import IMG_EXTENSIONS

from sdpose.errors import DataError, first_few

from ..class_folders import class_names
from ..classes import check_class_data, class_folder
from ..image_sizes import turns_pictures
from .alike import remarks_on_copies
from .finding import ERROR, WARNING, Finding, ask
from .keypoints import Progress
from .numbers import numbers_of_sizes
from .pictures import look_at_pictures, remarks_on_pictures
from .report import SetReport


def inspect_classes(cfg: Config, dataset: dict[str, Any], split: str, workers: int, progress: Progress) -> SetReport:
    """Look at every picture of a data set of class folders; arguments as of ``inspect_keypoints``."""
    folder = class_folder(dataset) or ''
    report = SetReport(split, 'ClassFolderDataset', folder, folder, 'classes')
    report.findings += ask(lambda: check_class_data(cfg, dataset, split))
    try:
        names = class_names(folder)
    except DataError:
        return report  # which was told
    files = {name: _files(Path(folder) / name) for name in names}
    paths = {name: [path for path in found if path.lower().endswith(IMG_EXTENSIONS)] for name, found in files.items()}
    passed_over = [path for name in names for path in files[name] if not path.lower().endswith(IMG_EXTENSIONS)]
    if passed_over:
        report.findings.append(
            Finding(
                WARNING,
                f'{len(passed_over)} files in {folder} are no images by their endings: {first_few(passed_over)}',
            )
        )
    turns = turns_pictures(dataset.get('pipeline') or [])
    report.pictures = look_at_pictures([path for name in names for path in paths[name]], turns, workers, progress)
    report.findings += remarks_on_pictures(folder, report.pictures, {}, turns)
    report.findings += _remark_on_two_classes(report, paths) or remarks_on_copies(folder, report.pictures)
    counts = np.array([len(paths[name]) for name in names])
    report.metainfo = dict(classes=names)
    report.numbers = dict(
        images=int(counts.sum()),
        classes=len(names),
        per_class=np.percentile(counts, (0, 10, 50, 90, 100)).tolist(),
        fewest=names[int(counts.argmin())],
        most=names[int(counts.argmax())],
        **numbers_of_sizes([each.sizes[0] for each in report.pictures.values() if each.sizes]),
    )
    return report


def _files(folder: Path) -> list[str]:
    """All files in a folder and below it, sorted."""
    return sorted(os.path.join(at, name) for at, _, names in os.walk(folder, followlinks=True) for name in names)


def _remark_on_two_classes(report: SetReport, paths: dict[str, list[str]]) -> list[Finding]:
    """Pictures that are in two classes, which contradict each other."""
    first: dict[bytes, tuple[str, str]] = {}
    both = []
    for name, found in paths.items():
        for path in found:
            digest = report.pictures[path].digest
            if digest and (other := first.setdefault(digest, (name, path)))[0] != name:
                both.append(f'{other[1]} and {path}')
    if not both:
        return []
    text = f'{len(both)} pictures of {report.folder} are in two classes: {first_few(both, 2)}; remove one of each two'
    return [Finding(ERROR, text)]
