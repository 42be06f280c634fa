"""A data set of poses in depth."""

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from mmengine.config import Config
from mmpose.datasets import MpiiDataset
from mmpose.registry import DATASETS

from sdpose.config.joint_names import joint_names
from sdpose.config.nodes import Above, resolve_type
from sdpose.datasets.array_coco_dataset import ArraySamples, are_mmposes
from sdpose.datasets.mpii_test_dataset import MpiiTestDataset
from sdpose.datasets.picture_size import said_size
from sdpose.errors import ConfigError, DataError
from sdpose.io.annotation_store import Arrays, Store, from_content

from ..annotation_file import check_ids, read_content, require_annotation_file, require_lists
from ..coco import Reads, check_detections, checks_of_sound_entries, no_keypoints, read_as_arrays
from ..consistency import remarks_on
from ..datasets import READING, ann_file_of, check_joints, check_pictures, image_folder_of, reads_of
from ..entries import Entries, entries_of_content, flat
from ..image_sizes import turns_pictures
from ..metainfo import load_metainfo
from ..mpii import check_mpii, person_fault, read_mpii
from ..people import is_one_person, people_of, people_of_rows
from ..reading import build_unread, read_as_class
from .alike import remarks_on_copies
from .finding import ERROR, Finding, ask, grouped
from .layout import Layout, remarks_on_layout
from .numbers import numbers_of_people, numbers_of_sizes
from .pictures import look_at_pictures, remarks_on_pictures
from .report import SetReport
from .sieve import sieve

Progress = Callable[[int, int], None]
Sizes = dict[str, tuple[float, float] | None]
"""(w, h) as the annotation file says by the path of each picture that is read; None where it does not."""


def inspect_keypoints(
    cfg: Config, dataset: dict[str, Any], above: Above, split: str, workers: int, progress: Progress
) -> SetReport:
    """Look at everything of a data set of poses.

    Args:
        cfg: The config.
        dataset: The data set's part of it.
        above: What the data set lies below.
        split: ``'train'``, ``'val'`` or ``'test'``.
        workers: Processes that decode pictures.
        progress: Called with the number of pictures that were looked at, and of all.
    """
    kind: Any = resolve_type(dataset, DATASETS)
    report = SetReport(split, kind.__name__, ann_file_of(dataset), image_folder_of(dataset))
    try:
        report.metainfo = load_metainfo(dataset)
        require_annotation_file(report.file)
    except (DataError, ConfigError) as error:
        report.findings.append(Finding(ERROR, str(error)))
        return report
    sizes: Sizes = {}
    if issubclass(kind, MpiiDataset):
        report.form = 'mpii'
        _read_mpii(report, dataset, kind)
    elif are_mmposes(kind, *READING):
        report.form = 'coco'
        sizes = _read_coco(report, cfg, dataset, above, split)
    else:
        report.findings += ask(lambda: check_ids(report.file, read_content(report.file)))
    if report.people is None and not (report.form == 'coco' and report.findings):
        sizes = _read_by_class(report, dataset, split) or sizes
    if report.people is not None and len(report.people):
        _look_at_people(report)
    steps = [step for each in (dataset, *above.wrappers) for step in each.get('pipeline') or []]
    report.turns = turns_pictures(steps)
    _look_at_pictures(report, sizes, workers, progress)
    report.findings += ask(lambda: check_joints(cfg, dataset, above, split))
    return report


def _read_coco(report: SetReport, cfg: Config, dataset: dict[str, Any], above: Above, split: str) -> Sizes:
    """Ask the rules of COCO's form about every entry; gives the said sizes of pictures by path."""
    asked = reads_of(cfg, dataset, above, split)
    annotated = asked.pop('annotated') or not dataset.get('bbox_file')
    reads = Reads(**asked, joints=joint_names(report.metainfo))
    joints = report.metainfo['num_keypoints']
    found = read_as_arrays(report.file, joints, reads)
    if found is not None and not found[1]:
        entries = found[0]
        people = entries.source.arrays if isinstance(entries.source, Store) else None
    else:
        try:
            content = read_content(report.file)
            content = {'annotations': [], **content} if isinstance(content, dict) and not annotated else content
            require_lists(report.file, content)
        except DataError as error:
            report.findings.append(Finding(ERROR, str(error)))
            return {}
        content, faults = sieve(report.file, content, joints, annotated)
        report.findings += faults
        entries = entries_of_content(content)
        people = _arrays(content)
    if annotated:
        report.findings += _ask_about_entries(report, entries, reads)
    if dataset.get('bbox_file'):
        report.findings += _only_of(dataset['bbox_file'], ask(lambda: _detections(report, dataset, reads, annotated)))
    return _keep_people(report, people, entries.names) if people is not None else {}


def _detections(report: SetReport, dataset: dict[str, Any], reads: Reads, annotated: bool) -> list[str]:
    joints = report.metainfo['num_keypoints']
    return check_detections(
        dataset['bbox_file'], report.file, report.folder, joints, **reads._asdict(), annotated=annotated
    )


def _only_of(file: str, findings: Sequence[Finding]) -> list[Finding]:
    """What concerns a file of detections; the annotations behind them were looked at before."""
    return [each for each in findings if file in each.text]


def _ask_about_entries(report: SetReport, entries: Entries, reads: Reads) -> list[Finding]:
    if not entries.people.any():
        return [] if report.findings else [Finding(ERROR, str(no_keypoints(report.file)))]
    findings: list[Finding] = []
    said: list[str] = []
    for check in checks_of_sound_entries(report.file, entries, report.folder, reads, said):
        found = ask(check)
        said += [each.text for each in found if each.level != ERROR]
        findings += found
    return findings


def _arrays(content: dict[str, Any]) -> Arrays | None:
    """What is left of a file as arrays; None where it has other types than COCO."""
    annotations = [flat(ann) if 'keypoints' in ann else ann for ann in content['annotations']]
    try:
        return from_content({**content, 'annotations': annotations})
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _keep_people(report: SetReport, arrays: Arrays, names: Sequence[str]) -> Sizes:
    """Keep the people of arrays, and give the sizes of the pictures that a run reads."""
    whole = (arrays.listed > 0) & (arrays.crowds == 0) & (arrays.images >= 0)
    rows = np.flatnonzero(whole & np.isfinite(arrays.boxes).all(axis=1))
    people = people_of_rows(arrays, rows)
    flags = arrays.joints[rows, :, 2]
    used = np.unique(arrays.images[rows[people.labelled.any(axis=1)]])
    paths = [os.path.join(report.folder, name) for name in names]
    report.people, report.flags = people, flags
    report.paths = dict(enumerate(paths))
    report.numbers.update(
        images=len(names),
        images_with_people=len(used),
        annotations=len(arrays.ids),
        crowds=int((arrays.crowds != 0).sum()),
    )
    if not (people.labelled.any()):
        used = np.arange(len(names))
    sizes = arrays.image_sizes.tolist()
    return {paths[image]: tuple(sizes[image]) for image in used.tolist()}


def _read_mpii(report: SetReport, dataset: dict[str, Any], kind: type) -> None:
    """Ask the rules of MPII's form about every person."""
    labelled = not issubclass(kind, MpiiTestDataset)
    joints = report.metainfo['num_keypoints']
    try:
        people = read_mpii(report.file)
    except DataError as error:
        report.findings.append(Finding(ERROR, str(error)))
        return
    faults = [
        f'{report.file}: person {number} (counted from 0) {fault}: correct it, or remove it'
        for number, person in enumerate(people)
        if (fault := person_fault(person, joints if labelled else None)) is not None
    ]
    report.findings += grouped(faults, len(people), 'people', report.file)
    if not faults:
        headboxes = dataset.get('headbox_file')
        report.findings += ask(lambda: check_mpii(report.file, report.folder, joints, headboxes, labelled))
    report.numbers.update(annotations=len(people))


def _read_by_class(report: SetReport, dataset: dict[str, Any], split: str) -> Sizes:
    """Take the people as the class of the data set reads them; gives the said sizes of pictures by path."""
    plain = {**dataset, 'bbox_file': None, 'filter_cfg': None} if dataset.get('bbox_file') else dataset
    where = f'{split}_dataloader.dataset'
    try:
        built = build_unread(plain, where)
        samples = read_as_class(built, plain, report.file, report.metainfo['num_keypoints'], where)
    except (DataError, ConfigError) as error:
        if not any(each.level == ERROR for each in report.findings):
            report.findings.append(Finding(ERROR, str(error)))
        return {}
    if isinstance(samples, ArraySamples) and report.form == 'coco':
        return {}
    if report.form == 'other':
        report.findings += ask(lambda: check_pictures(dataset, samples, report.file))
    people = people_of(samples, None)
    found = [info for info in samples if isinstance(info.get('img_path'), str)]
    report.numbers.setdefault('images', len({info['img_path'] for info in found}))
    if people is not None:
        report.people, report.flags = people, people.weights
        single = [info for info in samples if is_one_person(info)]
        report.paths = {place: str(info.get('img_path')) for place, info in enumerate(single)}
    return {info['img_path']: said_size(info) for info in found}


def _look_at_people(report: SetReport) -> None:
    people, flags = report.people, report.flags
    assert people is not None
    report.findings += ask(lambda: remarks_on(people, report.file))
    names = joint_names(report.metainfo)
    report.findings += remarks_on_layout(report.file, Layout(names, people.joints, flags, people.ids))
    report.numbers.update(numbers_of_people(people, names, flags))


def _look_at_pictures(report: SetReport, sizes: Sizes, workers: int, progress: Progress) -> None:
    """Decode the pictures that are there; those that are missing were told."""
    there = [path for path in sizes if os.path.exists(path)]
    report.pictures = look_at_pictures(there, report.turns, workers, progress)
    said = {path: size for path in there if (size := sizes[path]) is not None}
    report.findings += remarks_on_pictures(report.file, report.pictures, said, report.turns)
    report.findings += remarks_on_copies(report.file, report.pictures)
    report.numbers['pictures_read'] = sum(not each.fault for each in report.pictures.values())
    found = [each.sizes[0] for each in report.pictures.values() if each.sizes]
    report.numbers.update(numbers_of_sizes(found))
