"""Checks of the data sets of a config, each as its class demands."""

import gc
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log
from mmpose.datasets import MpiiDataset
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS

from sdpose.config.evaluators import is_coco, reads_head_boxes
from sdpose.config.joint_names import joint_names
from sdpose.config.nodes import Above, as_list, inner_datasets, iter_leaves, resolve_type, split_datasets
from sdpose.datasets import ClassFolderDataset
from sdpose.datasets.array_coco_dataset import ArrayAnnotations, ArraySamples, are_mmposes
from sdpose.datasets.mpii_test_dataset import MpiiTestDataset
from sdpose.errors import ConfigError, DataError
from sdpose.io.annotation_store import open_store

from .annotation_file import check_ids, forget, read_content, require_annotation_file
from .classes import check_class_data
from .coco import check_detections, check_images, check_people
from .consistency import remarks_on, remarks_on_detections
from .evaluator_files import check_evaluator_file, coco_files, judged, reads_parts
from .image_sizes import remark_on_sizes, said_sizes
from .metainfo import load_metainfo
from .mpii import check_mpii
from .people import detected_people, people_of
from .reading import build_unread, read_as_class
from .sound import are_ids_unique

_REMOTE = '://'
READING = ('_load_annotations', 'parse_data_info')  # of annotations in COCO's form


def check_datasets(cfg: Config, splits: Sequence[str]) -> None:
    """Check the data sets of a config, and log what is odd or will not be used.

    Where the folder of a data set is missing as a whole, the config's ``data_hint`` says how to get it.

    Raises:
        DataError: If something is missing or damaged.
        ConfigError: If a metainfo is missing or wrong, or the model predicts another number of key points or classes.
    """
    seen: list[dict[str, Any]] = []
    said: set[str] = set()
    collected = gc.isenabled()
    gc.disable()  # which would look through millions of new lists and numbers again and again
    try:
        for split in splits:
            for dataset, above, check in checked_datasets(cfg, split):
                if (asked := asked_of(cfg, dataset, above, split)) not in seen:
                    seen.append(asked)
                    with _hinting(cfg, dataset):
                        _say(check(cfg, dataset, above, split), said)
            _check_wholes(cfg, split)
            _say(check_evaluators(cfg, split), said)
    finally:
        forget()
        if collected:
            gc.enable()


def asked_of(cfg: Config, dataset: dict[str, Any], above: Above, split: str) -> dict[str, Any]:
    """What a check of a data set depends on; a second split with the same needs no second check."""
    pipeline = [step for step in dataset.get('pipeline') or [] if step.get('type') == 'KeypointConverter']
    pipeline.append({'pictures': _reads_pictures(pipeline_of(dataset, above))})
    return {**dataset, 'pipeline': pipeline, 'above': above.wrappers, 'reads': reads_of(cfg, dataset, above, split)}


def _say(remarks: Iterable[str], said: set[str]) -> None:
    """Log remarks that were not made before."""
    for remark in remarks:
        if remark not in said:
            said.add(remark)
            print_log(remark, 'current', logging.WARNING)


@contextmanager
def _hinting(cfg: Config, dataset: dict[str, Any]) -> Iterator[None]:
    """Add how to get a data set to an error, where its folder is missing as a whole."""
    try:
        yield
    except DataError as error:
        if 'data_hint' not in cfg or Path(dataset.get('data_root') or '').exists():
            raise
        raise DataError(f'{error}. {cfg.data_hint}') from error


def _check_keypoint_data(cfg: Config, dataset: dict[str, Any], above: Above, split: str) -> list[str]:
    """Check a data set of poses: what its class would misread or fail on without a clear word, then what it reads.

    Returns:
        Remarks that do not prevent a run.
    """
    started = time.perf_counter()
    metainfo = load_metainfo(dataset)
    ann_file = ann_file_of(dataset)
    if _REMOTE in ann_file or _REMOTE in image_folder_of(dataset):
        check_joints(cfg, dataset, above, split)
        return []
    where = f'{split}_dataloader.dataset' + ''.join(f'.{key}' for key in above.keys)
    own = not dataset.get('ann_file')  # the class knows where its file is
    if not own:
        require_annotation_file(ann_file)
    if dataset.get('indices') in (0, [], ()):
        raise ConfigError(f'{where}.indices is {dataset["indices"]!r}, which leaves no sample: give a number, or None')
    built = build_unread(dataset, where)
    ann_file = getattr(built, 'ann_file', None) or ann_file
    if own:
        require_annotation_file(ann_file)
    remarks = [] if own else _check_files(cfg, dataset, above, split)
    file = dataset.get('bbox_file') or ann_file
    samples = read_as_class(built, dataset, file, metainfo['num_keypoints'], where)
    if dataset.get('bbox_file'):
        detected = detected_people(samples)
        remarks += remarks_on_detections(detected, file) if detected is not None else []
    elif dataset.get('data_mode', 'topdown') == 'topdown':
        people = people_of(samples, None if isinstance(samples, ArraySamples) else _json(ann_file))
        remarks += remarks_on(people, ann_file) if people is not None else []
    steps = pipeline_of(dataset, above)
    if _reads_pictures(steps) and not (isinstance(samples, ArraySamples) and _is_checked_by_people(dataset)):
        check_pictures(dataset, samples, ann_file)
    remarks += remark_on_sizes(ann_file, said_sizes(samples), steps)
    check_joints(cfg, dataset, above, split)
    what = 'and its images are' if _reads_pictures(steps) else 'is'
    print_log(f'{split} data: {file} {what} there ({time.perf_counter() - started:.1f} s)', 'current')
    return remarks


def _check_classes(cfg: Config, dataset: dict[str, Any], above: Above, split: str) -> list[str]:
    """Check a data set of class folders."""
    check_class_data(cfg, dataset, split)
    return []


def _check_files(cfg: Config, dataset: dict[str, Any], above: Above, split: str) -> list[str]:
    """Look at the files themselves, as far as it is known how the class reads them; returns remarks."""
    kind: Any = resolve_type(dataset, DATASETS)
    ann_file, images = ann_file_of(dataset), image_folder_of(dataset)
    if issubclass(kind, MpiiDataset):
        labelled = not issubclass(kind, MpiiTestDataset)
        if split != 'train' and not dataset.get('headbox_file') and any(map(reads_head_boxes, _metrics(cfg, split))):
            raise ConfigError(
                f'the {split} data have no head boxes, in which {split}_evaluator measures PCKh: set '
                f'{split}_dataloader.dataset.headbox_file'
            )
        read = _reads_pictures(pipeline_of(dataset, above))
        check_mpii(ann_file, images, _joint_count(dataset), dataset.get('headbox_file'), labelled, read)
        return []
    reads: dict[str, Any] = dict(reads_of(cfg, dataset, above, split), joints=joint_names(load_metainfo(dataset)))
    own_detections = not are_mmposes(kind, '_load_detection_results')
    # MMPose takes the paths of detections and head boxes as they stand, without the data root.
    if dataset.get('bbox_file') and not own_detections:
        joints = _joint_count(dataset) if are_mmposes(kind, *READING) else None  # of the field that COCO has them in
        return check_detections(dataset['bbox_file'], ann_file, images, joints, **reads)
    if _is_checked_by_people(dataset):
        del reads['annotated']
        read = _reads_pictures(pipeline_of(dataset, above))
        return check_people(ann_file, images, _joint_count(dataset), pictures=read, **reads)
    store = open_store(ann_file) if issubclass(kind, ArrayAnnotations) else None
    if store is None or not are_ids_unique(store):
        check_ids(ann_file, _json(ann_file))
    return []


def pipeline_of(dataset: dict[str, Any], above: Above) -> list[dict[str, Any]]:
    """The steps that a data set's samples pass, those of its wrappers behind its own."""
    return [step for each in (dataset, *above.wrappers) for step in each.get('pipeline') or []]


def _reads_pictures(steps: Sequence[dict[str, Any]]) -> bool:
    """Whether a pipeline needs the pictures; one that begins with a crop cache does without."""
    return not steps or steps[0].get('type') != 'LoadCachedCrop'


def _is_checked_by_people(dataset: dict[str, Any]) -> bool:
    """Whether the rules of COCO's people and their images hold for a data set's file, by the way its class reads it."""
    kind: Any = resolve_type(dataset, DATASETS)
    return not dataset.get('bbox_file') and are_mmposes(kind, *READING)


def _json(ann_file: str) -> Any:
    """What an annotation file holds, None if it is no JSON: its class may read any form."""
    try:
        return read_content(ann_file)
    except DataError:
        return None


def check_pictures(dataset: dict[str, Any], samples: Sequence[dict[str, Any]], ann_file: str) -> None:
    """Check that the pictures are there which the class reads; a video's sample has several."""
    paths: list[Any] = []
    if isinstance(samples, ArraySamples):
        paths = samples.image_paths()
    else:
        paths = [info.get('img_path') for info in samples]
    flat = [path for each in paths for path in (each if isinstance(each, (list, tuple)) else [each])]
    check_images(
        image_folder_of(dataset) or '.', [os.path.abspath(path) for path in flat if isinstance(path, str)], ann_file
    )


def reads_of(cfg: Config, dataset: dict[str, Any], above: Above, split: str) -> dict[str, Any]:
    """What is read of a data set's annotation file beside its people: by an evaluation, if that reads this file."""
    metrics = _metrics(cfg, split)
    written = bool(metrics) and all(metric.get('format_only') for metric in metrics)
    ann_file = os.path.realpath(ann_file_of(dataset))
    scoring = []
    if split != 'train':
        for _, metric in coco_files(cfg.get(f'{split}_evaluator')):
            if metric.get('ann_file') is None or os.path.realpath(metric['ann_file']) == ann_file:
                scoring.append(metric)
    return dict(
        annotated=split != 'train' and not written,
        evaluated=bool(scoring),
        use_area=any(metric.get('use_area', True) for metric in scoring),
        parts=any(map(reads_parts, scoring)),
        crowd=any(metric.get('iou_type') == 'keypoints_crowd' for metric in scoring),
    )


def _metrics(cfg: Config, split: str) -> list[dict[str, Any]]:
    return as_list(cfg.get(f'{split}_evaluator'))


def _joint_count(dataset: dict[str, Any]) -> int:
    """Key points per person, as the data set's metainfo has it."""
    return load_metainfo(dataset)['num_keypoints']


def check_joints(cfg: Config, dataset: dict[str, Any], above: Above, split: str) -> None:
    """Check that a token model has a query for each joint (other models notice in their first step), and OKS a sigma.

    Joints are counted as the model gets them: after a ``KeypointConverter``, and as the whole has them that a data set
    is a part of.

    Raises:
        ConfigError: If not.
    """
    metainfo = load_metainfo(dataset)
    whole = next((wrapper for wrapper in above.wrappers if wrapper.get('metainfo')), None)
    joints = converted(dataset.get('pipeline'), metainfo['num_keypoints'])
    if whole is not None:
        expected = load_metainfo(whole)['num_keypoints']
        if joints != expected:
            raise ConfigError(
                f'a part of the {split} data, {dataset.get("ann_file")}, has {joints} key points per person, but the '
                'whole '
                f'({whole.get("type")}) has {expected} by its metainfo: convert them by a KeypointConverter in the '
                "part's pipeline"
            )
    for wrapper in above.wrappers:
        joints = converted(wrapper.get('pipeline'), joints)
    _require_queries(cfg, joints, f'{split} data has')
    if whole is None and not len(metainfo['sigmas']) and any(map(is_coco, _metrics(cfg, split))):
        raise ConfigError(
            f'the metainfo of the {split} data ({metainfo["dataset_name"]}) has no sigmas, which '
            'CocoMetric needs: give one per joint, or evaluate with another metric'
        )


def converted(pipeline: Any, joints: int) -> int:
    """How many joints a pipeline makes of so many."""
    made = [step.get('num_keypoints') for step in pipeline or [] if step.get('type') == 'KeypointConverter']
    return made[-1] if made else joints


def _require_queries(cfg: Config, joints: int, who: str) -> None:
    queries = (cfg.get('model', {}).get('neck') or {}).get('num_queries')
    if queries not in (None, joints):
        raise ConfigError(
            f'{who} {joints} key points per person, but model.neck.num_queries is {queries}: '
            'set both to one number (the configs here write num_queries=_base_.num_keypoints)'
        )


def _check_wholes(cfg: Config, split: str) -> None:
    """Check the metainfo of data sets that are made of others."""
    for dataset in split_datasets(cfg, split):
        if inner_datasets(dataset) and dataset.get('metainfo') and resolve_type(dataset, DATASETS) is not None:
            load_metainfo(dataset)


def check_evaluators(cfg: Config, split: str) -> list[str]:
    """Check the files that predictions are compared with, beside the data; returns remarks."""
    evaluators = cfg.get(f'{split}_evaluator')
    remarks: list[str] = []
    if split == 'train' or not evaluators:
        return remarks
    leaves = [dataset for dataset, _ in iter_leaves((cfg.get(f'{split}_dataloader') or {}).get('dataset'))]
    poses = [each for each in leaves if _is_pose_data(each)]
    for place, metric in coco_files(evaluators):
        datasets = [(each, ann_file_of(each)) for each in judged(evaluators, place, poses)]
        if metric.get('ann_file') and datasets:
            joints = joint_names(load_metainfo(datasets[0][0]))
            remarks += check_evaluator_file(metric, datasets, split, joints)
    return remarks


def _is_pose_data(dataset: dict[str, Any]) -> bool:
    kind = resolve_type(dataset, DATASETS)
    return kind is not None and issubclass(kind, BaseCocoStyleDataset)


# How the data sets of a class are checked; others are not.
_CHECKS: dict[type, Callable[[Config, dict[str, Any], Above, str], list[str]]] = {
    BaseCocoStyleDataset: _check_keypoint_data,
    ClassFolderDataset: _check_classes,
}


def checked_datasets(cfg: Config, split: str) -> Iterator[tuple[dict[str, Any], Above, Callable]]:
    """The configs of a split's data sets that can be checked, below wrappers, each with these and its check."""
    for dataset, above in iter_leaves((cfg.get(f'{split}_dataloader') or {}).get('dataset')):
        kind = resolve_type(dataset, DATASETS)
        if kind is not None:
            yield from ((dataset, above, check) for base, check in _CHECKS.items() if issubclass(kind, base))


def ann_file_of(dataset: dict[str, Any]) -> str:
    """The annotation file of a data set's config."""
    return _below(dataset.get('data_root') or '', dataset.get('ann_file', ''))


def image_folder_of(dataset: dict[str, Any]) -> str:
    """Where its images lie."""
    return _below(dataset.get('data_root') or '', (dataset.get('data_prefix') or {}).get('img', ''))


def _below(root: str, path: str) -> str:
    """A path below the data root, as MMEngine joins them."""
    return path if not root or os.path.isabs(path) or _REMOTE in path else os.path.join(root, path)
