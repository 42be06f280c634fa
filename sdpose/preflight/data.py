"""Checks of the files a config names, before anything expensive starts."""

import logging
import os
import time
from pathlib import Path
from typing import Any, Callable, Iterator, Optional

from mmengine.config import Config
from mmengine.logging import print_log
from mmpose.datasets import MpiiDataset
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS

from sdpose.config.evaluators import as_list, is_coco, reads_head_boxes
from sdpose.datasets import ClassFolderDataset
from sdpose.datasets.mpii_test_dataset import MpiiTestDataset
from sdpose.errors import ConfigError, DataError, UserError

from .classes import check_class_data
from .coco import check_detections, check_people
from .codec import check_codec
from .metainfo import load_metainfo
from .mpii import check_mpii

_REMOTE = '://'
_FILES = ('data_root', 'ann_file', 'bbox_file', 'headbox_file', 'data_prefix', 'type', 'metainfo')


def check_data(cfg: Config, splits: tuple[str, ...]) -> None:
    """Check the data sets of a config, each as its class demands, and log what will not be used.

    Where the folder of a data set is missing as a whole, the config's ``data_hint`` says how to get it.
    Among several processes the first one checks; the others would only read the same files again.

    Args:
        cfg: The config.
        splits: Of ``'train'``, ``'val'``, ``'test'``, those that will be used.

    Raises:
        DataError: If something is missing or damaged.
        ConfigError: If a metainfo is missing or wrong, or the model predicts another number of key points or classes,
            or decodes at another size.
    """
    if not is_first_process(cfg):
        return
    check_codec(cfg, splits)
    seen: list[dict[str, Any]] = []
    for split in splits:
        loader = cfg.get(f'{split}_dataloader')
        for dataset, check in _checked_datasets(loader.get('dataset')) if loader else ():
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


def is_first_process(cfg: Config) -> bool:
    """Whether this is the first of a run's processes; the environment's rank counts only under a launcher."""
    rank = os.environ.get('RANK', os.environ.get('SLURM_PROCID', '0'))
    return cfg.get('launcher', 'none') == 'none' or rank == '0'


def _check_keypoint_data(cfg: Config, dataset: dict[str, Any], split: str) -> None:
    """Check a data set with COCO annotations."""
    _check_files(cfg, dataset, split)
    _check_joints(cfg, dataset, split)


def _check_files(cfg: Config, dataset: dict[str, Any], split: str) -> None:
    started = time.perf_counter()
    root = dataset.get('data_root') or ''
    ann_file = _below(root, dataset.get('ann_file', ''))
    images = _below(root, (dataset.get('data_prefix') or {}).get('img', ''))
    evaluators = cfg.get(f'{split}_evaluator')
    names = load_metainfo(dataset)['keypoint_id2name']
    reads = dict(evaluated=_is_evaluated(cfg, split), use_area=_uses_area(evaluators), crowd=_reads_crowds(evaluators),
                 joints=[names[joint] for joint in range(len(names))])
    if _REMOTE in ann_file or _REMOTE in images:
        return
    # MMPose takes the paths of detections and head boxes as they stand, without the data root.
    if issubclass(_kind(dataset), MpiiDataset):
        remarks = []
        if split != 'train' and not dataset.get('headbox_file') and any(map(reads_head_boxes, as_list(evaluators))):
            raise ConfigError(f'the {split} data have no head boxes, in which {split}_evaluator measures PCKh: set '
                              f'{split}_dataloader.dataset.headbox_file')
        check_mpii(ann_file, images, _joint_count(dataset), dataset.get('headbox_file'),
                   labelled=not issubclass(_kind(dataset), MpiiTestDataset))
    elif dataset.get('bbox_file'):
        remarks = check_detections(dataset['bbox_file'], ann_file, images, _joint_count(dataset), **reads)
    else:
        remarks = check_people(ann_file, images, _joint_count(dataset), **reads)
    for remark in remarks:
        print_log(remark, 'current', logging.WARNING)
    print_log(f'{split} data: {dataset.get("bbox_file") or ann_file} and its images are there '
              f'({time.perf_counter() - started:.1f} s)', 'current')


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
        raise ConfigError(f'{split} data has {joints} key points per person, but model.neck.num_queries is {queries}: '
                          'set both to one number (the configs here write num_queries=_base_.num_keypoints)')
    if not len(metainfo['sigmas']) and any(is_coco(metric) for metric in as_list(cfg.get(f'{split}_evaluator'))):
        raise ConfigError(f'the metainfo of the {split} data ({metainfo["dataset_name"]}) has no sigmas, which '
                          'CocoMetric needs: give one per joint, or evaluate with another metric')


# How the data sets of a class are checked; others are not.
_CHECKS: dict[type, Callable[[Config, dict[str, Any], str], None]] = {
    BaseCocoStyleDataset: _check_keypoint_data,
    ClassFolderDataset: check_class_data,
}


def _checked_datasets(cfg: Optional[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], Callable]]:
    """The configs of the data sets that can be checked, below wrappers, each with its check."""
    if cfg is None:
        return
    kind = _kind(cfg)
    if isinstance(kind, type):
        yield from ((cfg, check) for base, check in _CHECKS.items() if issubclass(kind, base))
    for part in [cfg.get('dataset'), *(cfg.get('datasets') or [])]:
        yield from _checked_datasets(part)


def _kind(dataset: dict[str, Any]) -> Any:
    """The class of a data set's config."""
    return DATASETS.get(dataset['type']) if isinstance(dataset.get('type'), str) else dataset.get('type')


def _below(root: str, path: str) -> str:
    """A path below the data root, as MMEngine joins them."""
    return path if not root or os.path.isabs(path) or _REMOTE in path else os.path.join(root, path)


def check_checkpoint_path(path: str) -> None:
    """Check that a checkpoint exists and is a file.

    Raises:
        UserError: Naming the path and the checkpoints beside it.
    """
    if _REMOTE in path or Path(path).expanduser().is_file():
        return
    if Path(path).expanduser().is_dir():
        raise UserError(f'checkpoint {path} is a folder: name a .pth file in it')
    if Path(path).expanduser().exists():
        raise UserError(f'checkpoint {path} is no regular file: name a .pth file')
    folder = Path(path).expanduser().parent
    beside = sorted(file.name for file in folder.glob('*.pth'))[:5] if folder.is_dir() else []
    hint = f'; {folder} holds {", ".join(beside)}' if beside else ''
    raise UserError(f'checkpoint {path} does not exist{hint}')
