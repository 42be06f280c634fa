"""Results without scores: what ``--format-only`` and ``--test-dev`` make of a config, and the check of the file."""

import os
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.runner import Runner
from mmpose.datasets import MpiiDataset

from sdpose.config.evaluators import is_coco, writes_results
from sdpose.config.load import load_config
from sdpose.config.nodes import as_list, moved
from sdpose.errors import ConfigError, DataError
from sdpose.evaluation.submission import split_of
from sdpose.preflight.metainfo import load_metainfo
from sdpose.preflight.results import check_results

_TEST_DEV = 'configs/_base_/datasets/coco_test-dev.py'


def use_test_dev(cfg: Config, data_root: str | None = None, gt_bbox: bool = False) -> None:
    """Put COCO test-dev in place of a config's test data.

    Args:
        cfg: The config of a model of COCO's joints.
        data_root: The folder of COCO, None for that of ``coco_test-dev.py``.
        gt_bbox: Whether the user asked for annotated boxes.

    Raises:
        ConfigError: If the test data has other joints than COCO's 17, or annotated boxes are asked for.
    """
    if gt_bbox:
        raise ConfigError('--test-dev has no annotated boxes: leave out --gt-bbox')
    dataset = (cfg.get('test_dataloader') or {}).get('dataset') or {}
    joints = load_metainfo(dataset)['keypoint_name2id'] if dataset.get('type') else None
    if joints != load_metainfo(dict(type='CocoDataset'))['keypoint_name2id']:
        raise ConfigError(
            f"--test-dev is COCO's, with its 17 joints, but the test data of {cfg.filename} has others: "
            'use --format-only with test data of its own'
        )
    cfg.pop('data_hint', None)  # how to get the data of the config
    files = load_config(_TEST_DEV).test_dev.to_dict()
    dataset.update(moved(files, files['data_root'], data_root or files['data_root']))
    for metric in as_list(cfg.get('test_evaluator')):
        if is_coco(metric):
            metric['ann_file'] = None  # that of the data set


def is_format_only(cfg: Config) -> bool:
    """Whether a config's own test metric does not score."""
    return any(metric.get('format_only') for metric in as_list(cfg.get('test_evaluator')))


def use_format_only(cfg: Config, out: str | None = None) -> str:
    """Let a config's test write results and score nothing, and log that it will.

    Args:
        cfg: The config.
        out: Where the results go, None for the work folder, under the name that COCO's server asks for where they are
            COCO's.

    Returns:
        Where the results go.

    Raises:
        ConfigError: If the config has no metric that writes results.
    """
    metrics = [metric for metric in as_list(cfg.get('test_evaluator')) if writes_results(metric)]
    if not metrics:
        raise ConfigError(
            f'--format-only writes results and needs a CocoMetric or MpiiMetric in test_evaluator of {cfg.filename}'
        )
    for metric in metrics:
        metric['format_only'] = True
    cfg.test_evaluator = metrics
    split = split_of(((cfg.get('test_dataloader') or {}).get('dataset') or {}).get('ann_file') or 'test')
    name = f'person_keypoints_{split}' if any(map(is_coco, metrics)) else split
    out = out or os.path.join(cfg.work_dir, f'{name}_{Path(cfg.filename).stem}_results.json')
    print_log(f'predictions are written to {out}, no metric is computed', 'current')
    return out


def check_written(runner: Runner, path: Path) -> None:
    """Check a result file that a test has written, and log what was found.

    Raises:
        DataError: If it is not fit for an evaluation; the file stays.
    """
    dataset: Any = runner.test_dataloader.dataset
    if isinstance(dataset, MpiiDataset):  # in a form of its own, one entry per person
        return
    if not hasattr(dataset, 'ann_file'):
        print_log(
            f'{path} was not checked, the test data is a mixture: tools/analysis_tools/validate_results.py '
            'checks it against an annotation file',
            runner.logger,
        )
        return
    check = check_results(path, dataset.ann_file, dataset.metainfo['num_keypoints'])
    if check.faults:
        raise DataError(f'{path} is not fit for an evaluation: {"; ".join(check.faults)}')
    print_log(
        f'{path} checked: {check.num_results} results for {check.num_images} images, sound; {"; ".join(check.remarks)}',
        runner.logger,
    )
