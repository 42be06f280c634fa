"""Checks of class folders, and whether the model knows as many classes, before anything expensive starts."""

import os
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log

from sdpose.config.nodes import as_list
from sdpose.errors import ConfigError

from .class_folders import check_same_classes, class_names


def check_class_data(cfg: Config, dataset: dict[str, Any], split: str) -> None:
    """Check one split in class folders.

    Args:
        cfg: The config.
        dataset: The data set's part of it.
        split: ``'train'``, ``'val'`` or ``'test'``. The latter two must have the classes of the training data, where
            these are on this machine.

    Raises:
        DataError: If the folder or images are missing, or the classes are not those of the training data.
        ConfigError: If the model or the metric does not fit the number of classes.
    """
    folder = class_folder(dataset)
    if folder is None:
        raise ConfigError(f'{split}_dataloader.dataset has no data_root: set it to the folder of the data set')
    names = class_names(folder)
    trained = class_folder((cfg.get('train_dataloader') or {}).get('dataset') or {})
    if split != 'train' and trained and os.path.isdir(trained):
        check_same_classes(names, folder, class_names(trained), trained)
    _check_class_count(cfg, len(names), folder)
    _check_topk(cfg.get(f'{split}_evaluator'), split, len(names))
    print_log(f'{split} data: {len(names)} class folders with images in {folder}', 'current')


def class_folder(dataset: dict[str, Any]) -> str | None:
    """A split's folder, None where the config does not say."""
    if 'data_root' not in dataset:
        return None
    return os.path.join(dataset['data_root'], (dataset.get('data_prefix') or {}).get('img', ''))


def _check_class_count(cfg: Config, count: int, folder: str) -> None:
    """Check that head and preprocessor know as many classes as there are folders.

    Raises:
        ConfigError: Naming the key that does not fit.
    """
    for part in ('head', 'data_preprocessor'):
        known = (cfg.get('model', {}).get(part) or {}).get('num_classes')
        if known not in (None, count):
            raise ConfigError(
                f'{folder} holds {count} class folders, but model.{part}.num_classes is {known}: a leaf '
                'passes num_classes of its data set base on'
            )


def _check_topk(evaluators: Any, split: str, count: int) -> None:
    """Check that the top k are fewer than all classes, or every image would count.

    Raises:
        ConfigError: If not.
    """
    for evaluator in as_list(evaluators):
        topk = evaluator.get('topk', ())
        numbers = [topk] if isinstance(topk, int) else [k for k in topk if isinstance(k, int)]
        largest = max(numbers, default=0)  # anything else is refused by the metric itself
        if split != 'train' and largest >= count:
            raise ConfigError(
                f'{split}_evaluator counts the top {largest} of {count} classes, which is always 100 %: '
                f'set {split}_evaluator.topk to less'
            )
