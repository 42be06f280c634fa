"""The annotation file of an evaluator beside the data whose predictions it judges."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmpose.evaluation.metrics import CocoMetric, CocoWholeBodyMetric
from mmpose.registry import DATASETS, METRICS

from sdpose.config.evaluators import is_coco
from sdpose.config.nodes import as_list, resolve_type
from sdpose.errors import ConfigError, DataError, first_few
from sdpose.io.annotation_store import open_store

from .annotation_file import check_ids, read_content, require_annotation_file
from .coco import categories_of_people
from .coco_fields import ANNOTATION_KEYS, check_entries, check_joint_names
from .entries import entries_of_content
from .evaluated import check_evaluated
from .metainfo import load_metainfo

_REMOTE = '://'


def coco_files(evaluators: Any) -> list[tuple[int, dict[str, Any]]]:
    """The metrics of an evaluator that score by COCO's evaluation, with their place in it."""
    found = []
    for place, metric in enumerate(as_list(evaluators)):
        kind: Any = resolve_type(metric, METRICS) if is_coco(metric) else None
        own = getattr(kind, '_do_python_keypoint_eval', None)
        if own in (CocoMetric._do_python_keypoint_eval, CocoWholeBodyMetric._do_python_keypoint_eval):
            if not metric.get('format_only'):
                found.append((place, metric))
    return found


def reads_parts(metric: dict[str, Any]) -> bool:
    """Whether a metric is COCO-WholeBody's, which reads a field for the joints of each part."""
    kind = resolve_type(metric, METRICS)
    return kind is not None and issubclass(kind, CocoWholeBodyMetric)


def judged(evaluators: Any, place: int, datasets: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The data sets whose predictions a metric gets: all, or those of the joints that its place stands for.

    Args:
        evaluators: The evaluator's config. MMPose's ``MultiDatasetEvaluator`` has a data set for each metric.
        place: The metric's place in it.
        datasets: The split's data sets, without wrappers.

    Raises:
        ConfigError: If that evaluator has no data set for a metric, or not one for each.
    """
    if not (isinstance(evaluators, dict) and 'datasets' in evaluators and 'metrics' in evaluators):
        return list(datasets)
    named = evaluators['datasets']
    if len(named) != len(as_list(evaluators)):
        raise ConfigError(
            f'the {evaluators.get("type")} has {len(as_list(evaluators))} metrics for {len(named)} datasets: give one '
            'each'
        )
    kind: Any = resolve_type(named[place], DATASETS)
    if kind is None:
        raise ConfigError(f'the {evaluators.get("type")} names {named[place].get("type")!r}, which is no data set')
    name = load_metainfo(dict(type=kind))['dataset_name']
    return [dataset for dataset in datasets if load_metainfo(dataset)['dataset_name'] == name]


def check_evaluator_file(
    metric: dict[str, Any], datasets: Sequence[tuple[dict[str, Any], str]], split: str, joints: Sequence[str]
) -> list[str]:
    """Check the file that a metric compares predictions with, where it is another than the data set's own.

    Args:
        metric: The metric's config, with its ``ann_file``.
        datasets: The data sets that it judges, each with its annotation file.
        split: Theirs.
        joints: Names of the joints in the metainfo's order.

    Returns:
        Remarks that do not prevent a run.

    Raises:
        DataError: If the file is missing or no COCO annotation file, lacks what the evaluation reads, or does not hold
            the images of the data.
    """
    file = str(metric['ann_file'])
    if _REMOTE in file:
        return []
    require_annotation_file(file, f'correct {split}_evaluator.ann_file in the config')
    remarks = []
    own = [os.path.realpath(ann_file) for _, ann_file in datasets]
    same = own == [os.path.realpath(file)]
    # A file that was checked with the data is JSON in COCO's form if it has arrays.
    content: Any = None if same and open_store(file) is not None else read_content(file)
    if os.path.realpath(file) not in own:
        _check_structure(file, content)
        detected = any(dataset.get('bbox_file') for dataset, _ in datasets)
        crowd = metric.get('iou_type') == 'keypoints_crowd'
        entries = entries_of_content(content)
        remarks += check_evaluated(file, entries, metric.get('use_area', True), crowd, detected, reads_parts(metric))
        if not metric.get('gt_converter'):
            check_joint_names(file, categories_of_people(entries), joints)
    if not same:
        remarks += _compare_images(file, content, [ann_file for _, ann_file in datasets], split)
    if any(dataset.get('indices') is not None or dataset.get('sample_interval', 1) != 1 for dataset, _ in datasets):
        remarks.append(
            f'the {split} data use a part of their images (indices or sample_interval), and {file} holds all of them: '
            'people of the others count as missed; name a file of that part'
        )
    return remarks


def _check_structure(file: str, content: Any) -> None:
    lists = [isinstance(content, dict) and isinstance(content.get(key), list) for key in ('images', 'annotations')]
    if not all(lists):
        raise DataError(
            f'{file} is not a COCO annotation file to evaluate with: it needs lists of images and annotations'
        )
    check_entries(file, 'image', content['images'], ('id',))
    check_entries(file, 'annotation', content['annotations'], ANNOTATION_KEYS)
    check_ids(file, content)
    if not any('keypoints' in ann for ann in content['annotations']):
        raise DataError(
            f'{file} annotates no key points, so that nothing can be evaluated: name the person_keypoints file'
        )


def _images(content: Any) -> dict[Any, str]:
    """Names of images, without folders and ending, by id."""
    entries = content.get('images') if isinstance(content, dict) else None
    return {
        image['id']: Path(str(image.get('file_name', ''))).stem
        for image in (entries if isinstance(entries, list) else [])
        if isinstance(image, dict) and 'id' in image
    }


def _compare_images(file: str, content: Any, ann_files: Sequence[str], split: str) -> list[str]:
    """Compare the images of an evaluator's file with those of the data."""
    data: dict[Any, str] = {}
    for ann_file in ann_files:
        if _REMOTE not in ann_file:
            data.update(_images(read_content(ann_file)))
    truth = _images(content)
    if not data or not truth:
        return []
    named = f'{split}_evaluator.ann_file={file} and the {split} data ({", ".join(ann_files)}) do not belong together'
    lacking = sorted(set(data) - set(truth), key=str)
    if lacking:
        raise DataError(
            f'{named}: the evaluation stops at images that it does not know, {len(lacking)} of {len(data)} (image id '
            f'{first_few(list(map(str, lacking)))}); name the file of the same images in both places'
        )
    other = [number for number, name in data.items() if name and truth[number] and truth[number] != name]
    if len(other) == len(data):
        raise DataError(
            f'{named}: all {len(data)} images have other names for the same id (first: id {other[0]} is '
            f'{data[other[0]]} in '
            f'the data, {truth[other[0]]} for the evaluator); name the file of the same images in both places'
        )
    remarks = []
    if other:
        remarks.append(
            f'{named}: {len(other)} of {len(data)} images have another name for the same id (first: id {other[0]} is '
            f'{data[other[0]]} in the data, {truth[other[0]]} for the evaluator)'
        )
    extra = sorted(set(truth) - set(data), key=str)
    if extra:
        remarks.append(
            f'{named}: the evaluator has {len(extra)} images that the data lack (image id '
            f'{first_few(list(map(str, extra)))}), and people there count as missed'
        )
    return remarks
