"""Checks of the data sets of a config, each as its class demands."""

import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log
from mmpose.datasets import MpiiDataset
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS

from sdpose.config.evaluators import is_coco, reads_head_boxes
from sdpose.config.nodes import as_list, resolve_type, split_datasets
from sdpose.datasets import ClassFolderDataset
from sdpose.datasets.mpii_test_dataset import MpiiTestDataset
from sdpose.errors import ConfigError, DataError

from .annotation_file import require_annotation_file
from .classes import check_class_data
from .coco import check_detections, check_people
from .metainfo import load_metainfo
from .mpii import check_mpii

_REMOTE = '://'
_FILES = ('data_root', 'ann_file', 'bbox_file', 'headbox_file', 'data_prefix', 'type', 'metainfo')


def check_datasets(cfg: Config, splits: Sequence[str]) -> None:
    """Check the data sets of a config, and log what will not be used.

    Where the folder of a data set is missing as a whole, the config's ``data_hint`` says how to get it.

    Raises:
        DataError: If something is missing or damaged.
        ConfigError: If a metainfo is missing or wrong, or the model predicts another number of key points or classes.
    """
    seen: list[dict[str, Any]] = []
    for split in splits:
        for dataset, check in _checked_datasets(cfg, split):
            files = {key: dataset.get(key) for key in _FILES}
            files['evaluated'] = _is_evaluated(cfg, split)  # which asks for more
            if files not in seen:
                seen.append(files)
                try:
                    check(cfg, dataset, split)
                except DataError as error:
                    if 'data_hint' not in cfg or Path(dataset.get('data_root') or '').exists():
                        raise
                    raise DataError(f'{error}. {cfg.data_hint}') from error


def _check_keypoint_data(cfg: Config, dataset: dict[str, Any], split: str) -> None:
    """Check a data set of poses; one whose class reads its annotations in its own way, for being there alone."""
    kind: Any = resolve_type(dataset, DATASETS)
    if issubclass(kind, MpiiDataset) or kind._load_annotations is BaseCocoStyleDataset._load_annotations:
        _check_files(cfg, dataset, split)
    else:
        require_annotation_file(_below(dataset.get('data_root') or '', dataset.get('ann_file', '')))
    _check_joints(cfg, dataset, split)


def _check_files(cfg: Config, dataset: dict[str, Any], split: str) -> None:
    started = time.perf_counter()
    root = dataset.get('data_root') or ''
    ann_file = _below(root, dataset.get('ann_file', ''))
    images = _below(root, (dataset.get('data_prefix') or {}).get('img', ''))
    evaluators = cfg.get(f'{split}_evaluator')
    names = load_metainfo(dataset)['keypoint_id2name']
    reads: dict[str, Any] = dict(
        evaluated=_is_evaluated(cfg, split),
        use_area=_uses_area(evaluators),
        crowd=_reads_crowds(evaluators),
        joints=[names[joint] for joint in range(len(names))],
    )
    if _REMOTE in ann_file or _REMOTE in images:
        return
    # MMPose takes the paths of detections and head boxes as they stand, without the data root.
    kind = resolve_type(dataset, DATASETS)
    if kind is not None and issubclass(kind, MpiiDataset):
        remarks = []
        if split != 'train' and not dataset.get('headbox_file') and any(map(reads_head_boxes, as_list(evaluators))):
            raise ConfigError(
                f'the {split} data have no head boxes, in which {split}_evaluator measures PCKh: set '
                f'{split}_dataloader.dataset.headbox_file'
            )
        check_mpii(
            ann_file,
            images,
            _joint_count(dataset),
            dataset.get('headbox_file'),
            labelled=not issubclass(kind, MpiiTestDataset),
        )
    elif dataset.get('bbox_file'):
        remarks = check_detections(dataset['bbox_file'], ann_file, images, _joint_count(dataset), **reads)
    else:
        remarks = check_people(ann_file, images, _joint_count(dataset), **reads)
    for remark in remarks:
        print_log(remark, 'current', logging.WARNING)
    print_log(
        f'{split} data: {dataset.get("bbox_file") or ann_file} and its images are there '
        f'({time.perf_counter() - started:.1f} s)',
        'current',
    )


def _is_evaluated(cfg: Config, split: str) -> bool:
    """Whether predictions on a split are compared with annotations, not only written."""
    metrics = as_list(cfg.get(f'{split}_evaluator'))
    return split != 'train' and not (metrics and all(metric.get('format_only') for metric in metrics))


def _uses_area(evaluators: Any) -> bool:
    """Whether a metric reads the area of annotated people; COCO's do unless told otherwise."""
    return all(evaluator.get('use_area', True) for evaluator in as_list(evaluators))


def _reads_crowds(evaluators: Any) -> bool:
    """Whether a metric is CrowdPose's, which reads how crowded the images are."""
    return any(evaluator.get('iou_type') == 'keypoints_crowd' for evaluator in as_list(evaluators))


def _joint_count(dataset: dict[str, Any]) -> int:
    """Key points per person, as the data set's metainfo has it."""
    return load_metainfo(dataset)['num_keypoints']


def _check_joints(cfg: Config, dataset: dict[str, Any], split: str) -> None:
    """Check that a token model has a query for each joint (other models notice in their first step), and OKS a sigma.

    Raises:
        ConfigError: If not.
    """
    metainfo = load_metainfo(dataset)
    queries = (cfg.get('model', {}).get('neck') or {}).get('num_queries')
    joints = metainfo['num_keypoints']
    if queries not in (None, joints):
        raise ConfigError(
            f'{split} data has {joints} key points per person, but model.neck.num_queries is {queries}: '
            'set both to one number (the configs here write num_queries=_base_.num_keypoints)'
        )
    if not len(metainfo['sigmas']) and any(is_coco(metric) for metric in as_list(cfg.get(f'{split}_evaluator'))):
        raise ConfigError(
            f'the metainfo of the {split} data ({metainfo["dataset_name"]}) has no sigmas, which '
            'CocoMetric needs: give one per joint, or evaluate with another metric'
        )


# How the data sets of a class are checked; others are not.
_CHECKS: dict[type, Callable[[Config, dict[str, Any], str], None]] = {
    BaseCocoStyleDataset: _check_keypoint_data,
    ClassFolderDataset: check_class_data,
}


def _checked_datasets(cfg: Config, split: str) -> Iterator[tuple[dict[str, Any], Callable]]:
    """The configs of a split's data sets that can be checked, below wrappers, each with its check."""
    for dataset in split_datasets(cfg, split):
        kind = resolve_type(dataset, DATASETS)
        if kind is not None:
            yield from ((dataset, check) for base, check in _CHECKS.items() if issubclass(kind, base))


def _below(root: str, path: str) -> str:
    """A path below the data root, as MMEngine joins them."""
    return path if not root or os.path.isabs(path) or _REMOTE in path else os.path.join(root, path)
