"""A training on the first few people until they are learned: whether data, model and metric fit together."""

import contextlib
import copy
import io
import json
import logging
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.hooks import EarlyStoppingHook
from mmengine.logging import print_log
from mmengine.runner import Runner
from mmpose.registry import DATASETS, HOOKS, TRANSFORMS

from sdpose.config.evaluators import is_coco
from sdpose.config.nodes import inner_datasets, resolve_type, use_ground_truth_boxes
from sdpose.config.options import prepare
from sdpose.engine.hooks import LastEpochsHook
from sdpose.errors import ConfigError
from sdpose.io.atomic import atomic_write
from sdpose.io.json_file import read_json

_STEPS = 600
_VALIDATIONS = 10
_LEARNED = 0.8  # of what the metric can be
_BATCH = 32


def prepare_overfit(config: str, count: int, **run: Any) -> Config:
    """The config of a training as :func:`sdpose.config.options.prepare` gives it, turned by :func:`overfit`."""
    folder = run.pop('work_dir', None) or str(Path('work_dirs', f'{Path(config).stem}-overfit'))
    cfg = prepare(config, work_dir=folder, **run)
    overfit(cfg, count)
    return cfg


def overfit(cfg: Config, count: int) -> None:
    """Turn a training into one on its first people alone, without augmentation, evaluated on the same.

    It has 600 steps along a cosine, and ends earlier once the metric that the config's ``save_best`` names is above 0.8
    of its range. A COCO-style metric reads ``overfit.json`` in the work folder, the annotations of these people.

    Args:
        cfg: The training's config, changed in place.
        count: How many people.

    Raises:
        ConfigError: If ``count`` is not positive, or the config has several training data sets, others than of poses,
            no metric to go by, or several processes.
    """
    if count < 1:
        raise ConfigError(f'--overfit {count}: give a number of people from 1')
    train, val, metric = cfg.train_dataloader, cfg.get('val_dataloader'), cfg.get('val_evaluator')
    steps = train.dataset.get('pipeline') or []
    monitor = (cfg.default_hooks.get('checkpoint') or {}).get('save_best')
    if inner_datasets(train.dataset) or not any('encoder' in step for step in steps) or cfg.launcher != 'none':
        raise ConfigError('--overfit is for one process and one training data set of poses')
    if not val or not isinstance(metric, dict) or not isinstance(monitor, str):
        raise ConfigError('--overfit needs one val_evaluator, and its metric in default_hooks.checkpoint.save_best')
    seen: Any = copy.deepcopy(train.dataset)
    seen.update(test_mode=True, pipeline=val.dataset.pipeline)
    use_ground_truth_boxes(seen)
    if is_coco(metric):
        seen['ann_file'] = metric['ann_file'] = _write_annotations(cfg, count)
    else:
        seen['indices'] = count
    drawn = [bool(getattr(resolve_type(step, TRANSFORMS), '_methods_with_randomness', None)) for step in steps]
    train.dataset.update(indices=count, pipeline=[step for step, by_chance in zip(steps, drawn) if not by_chance])
    if cfg.model.get('test_cfg'):
        cfg.model.test_cfg.flip_test = False  # mirror images are not seen in training
    batch = min(count, train.batch_size, _BATCH)
    train.update(batch_size=batch, drop_last=False, sampler=dict(type='DefaultSampler', shuffle=True))
    val.update(dataset=seen, sampler=dict(type='DefaultSampler', shuffle=False))
    _set_schedule(cfg, -(-_STEPS // -(-count // batch)), monitor, _LEARNED * (1 if is_coco(metric) else 100))


def _set_schedule(cfg: Config, epochs: int, monitor: str, learned: float) -> None:
    cfg.train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=epochs, val_interval=max(1, epochs // _VALIDATIONS))
    cosine = dict(
        type='CosineAnnealingLR', begin=0, end=epochs, T_max=epochs, by_epoch=True, convert_to_iter_based=True
    )
    cfg.param_scheduler = [cosine]
    cfg.default_hooks.checkpoint.update(interval=epochs, save_best=None)
    stop = dict(type='EarlyStoppingHook', monitor=monitor, rule='greater', min_delta=0.0, patience=epochs, strict=True)
    hooks = [hook for hook in cfg.get('custom_hooks') or [] if resolve_type(hook, HOOKS) is not LastEpochsHook]
    cfg.custom_hooks = [*hooks, dict(stop, stopping_threshold=learned)]  # the steps of that hook are left out


def _write_annotations(cfg: Config, count: int) -> str:
    """The path of a file with the annotations of the first people that are trained on, and their images."""
    with contextlib.redirect_stdout(io.StringIO()):  # of xtcocotools, which prints
        built = DATASETS.build(dict(cfg.train_dataloader.dataset, pipeline=[], indices=count))
    people = {built.get_data_info(index)['id'] for index in range(len(built))}
    content: dict[str, Any] = read_json(built.ann_file, 'a COCO annotation file')
    content['annotations'] = [each for each in content['annotations'] if each['id'] in people]
    images = {each['image_id'] for each in content['annotations']}
    content['images'] = [each for each in content['images'] if each['id'] in images]
    path = Path(cfg.work_dir, 'overfit.json').absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path, 'w', 'utf-8') as file:
        json.dump(content, file)
    return str(path)


def say_whether_learned(runner: Runner) -> None:
    """Say what such a training has shown."""
    stop = next(hook for hook in runner.hooks if isinstance(hook, EarlyStoppingHook))
    said = f'--overfit: {stop.monitor} is {stop.best_score:.4g} after {runner.iter} steps'
    if stop.best_score > stop.stopping_threshold:
        return print_log(f'{said}: the people are learned, so data, model and metric fit together', 'current')
    print_log(
        f'{said}; from {stop.stopping_threshold:g} on the people would be learned. Look at the crops and targets '
        '(tools/misc/browse_dataset.py), at the loss and its rate, and at the size of the heatmaps',
        'current',
        logging.WARNING,
    )
