"""What a data set of one's own takes from the config that it inherits, and what so few people need otherwise."""

import math
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmpose.datasets import MpiiDataset
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS

from sdpose.config.load import load_config
from sdpose.config.nodes import resolve_type
from sdpose.errors import UserError

from .files import Training

_STEPS = 10  # of an epoch, at least
_SMALLEST = 4  # people per step: batch norm learns from them


def read_inherited(config: str) -> Config:
    """Read the config whose model and recipe are taken.

    Raises:
        ConfigError: If there is none, or it cannot be read.
        UserError: If another data set cannot take the place of its own.
    """
    cfg = load_config(config)
    dataset: dict[str, Any] = (cfg.get('train_dataloader') or {}).get('dataset') or {}
    kind: Any = resolve_type(dataset, DATASETS)
    if kind is None or not issubclass(kind, BaseCocoStyleDataset) or issubclass(kind, MpiiDataset):
        raise UserError(
            f'--from {config}: its training data ({dataset.get("type")}) are not read as COCO, so its recipe and '
            'metric do not fit: name a config of COCO, CrowdPose, AP-10K or the drawn people'
        )
    if 'dataset_info' in cfg or cfg.get('num_keypoints') is None:
        why = (
            'is for joints of its own'
            if 'dataset_info' in cfg
            else "has no variable num_keypoints that its model follows, as this project's have"
        )
        raise UserError(f'--from {config} {why}: name the config that it inherits, or another one')
    return cfg


def fit_training(cfg: Config, people: int) -> Training:
    """Batch size and learning rate for a number of people.

    A batch stays if an epoch has at least ten steps with it, else it is the largest power of two that gives as many:
    schedules count steps of warm-up and epochs. The learning rate follows by the square root of the batch, which is
    usual for Adam, from the batch that the config's belongs to.

    Args:
        cfg: The config that is inherited.
        people: Those to train on.
    """
    given = int(cfg.train_dataloader.batch_size)
    size = max(_SMALLEST, 2 ** math.floor(math.log2(max(people // _STEPS, 1))))
    if size >= given:
        return Training(None, None, '')
    lr = ((cfg.get('optim_wrapper') or {}).get('optimizer') or {}).get('lr')
    meant = (cfg.get('auto_scale_lr') or {}).get('base_batch_size') or given
    if not isinstance(lr, (int, float)) or size >= meant:
        return Training(size, None, f'{given}')
    return Training(size, float(f'{lr * math.sqrt(size / meant):.2g}'), f'{given}')


def leaf_name(config: str | Path, name: str) -> str:
    """The file name of the config on a data set: the inherited model's, then the data set's."""
    return f'{Path(config).stem.partition("_")[0]}_{name}.py'
