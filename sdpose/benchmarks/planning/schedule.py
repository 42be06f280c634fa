"""How long a config trains: samples of an epoch, epochs, and what is evaluated in between."""

import os
from typing import Any, NamedTuple

from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS

from sdpose.config.building import building
from sdpose.config.nodes import iter_leaves
from sdpose.errors import ConfigError

# People with labelled key points, boxes of the documented detector, or pictures, by the end of the path.
KNOWN_SAMPLES = {
    'person_keypoints_train2017.json': 149813,
    'person_keypoints_val2017.json': 6352,
    'COCO_val2017_detections_AP_H_56_person.json': 104125,
    'mpii_train.json': 22246,
    'mpii_val.json': 2958,
    'imagenet/train': 1281167,
    'imagenet/val': 50000,
}


class Schedule(NamedTuple):
    """What a training goes through.

    Attributes:
        batch: Of one process.
        samples: Of an epoch, on all cards.
        epochs: How many.
        validations: How many evaluations of ``val_samples`` there are.
        val_samples: Of one evaluation.
        passes: Of the model for one evaluated sample: two with a flip test.
        workers: That the config gives each process for loading.
        cached: Whether crops are read instead of full pictures.
    """

    batch: int
    samples: int
    epochs: int
    validations: int
    val_samples: int
    passes: int
    workers: int
    cached: bool


def schedule(config: Config, samples: int | None = None, batch: int | None = None) -> Schedule:
    """Read the schedule of a config that trains by epochs.

    Args:
        config: With a ``train_dataloader`` and ``train_cfg``.
        samples: Of an epoch, where the data are not here and nobody knows them by name.
        batch: Of one process, instead of the config's.

    Raises:
        ConfigError: If it trains by iterations, or the number of samples is unknown.
    """
    train = config.train_cfg
    if not train.get('max_epochs'):
        raise ConfigError(f'{config.filename}: train_cfg.max_epochs is missing; a plan is made for epochs')
    val_samples = _samples(config, 'val') if config.get('val_dataloader') else 0
    begin, interval = train.get('val_begin', 1), train.get('val_interval', 1)
    samples = samples or _samples(config, 'train')
    if not samples:
        raise ConfigError(
            f'{config.filename}: the training data are not here and their number is not known: give --samples N'
        )
    return Schedule(
        batch=batch or config.train_dataloader.batch_size,
        samples=samples,
        epochs=train.max_epochs,
        validations=sum(epoch >= begin and epoch % interval == 0 for epoch in range(1, train.max_epochs + 1)),
        val_samples=val_samples,
        passes=2 if (config.model.get('test_cfg') or {}).get('flip_test') else 1,
        workers=config.train_dataloader.get('num_workers', 0),
        cached=any(
            step.get('type') == 'LoadCachedCrop'
            for leaf, _ in iter_leaves(config.train_dataloader.dataset)
            for step in leaf.get('pipeline') or []
        ),
    )


def _samples(config: Config, split: str) -> int:
    """Samples of a split: those of files with a known name, else of the data that are here, else 0."""
    return sum(_of_leaf(leaf) for leaf, _ in iter_leaves(config[f'{split}_dataloader'].dataset))


def _of_leaf(leaf: dict[str, Any]) -> int:
    name = leaf.get('bbox_file') or leaf.get('ann_file') or (leaf.get('data_prefix') or {}).get('img') or ''
    path = os.path.normpath(os.path.join(leaf.get('data_root') or '', name))
    known = [number for end, number in KNOWN_SAMPLES.items() if path.endswith(os.path.normpath(end))]
    if known or not os.path.exists(path):
        return known[0] if known else 0
    init_default_scope('mmpose')
    with building('dataset'):
        return len(DATASETS.build(dict(leaf, pipeline=[])))
