"""Single values that a run reads late: after its data are loaded, or at the end of an epoch."""

import inspect
import logging
import math
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.logging import print_log
from mmengine.registry import init_default_scope
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop
from mmpose.registry import LOOPS, MODELS, OPTIMIZERS, PARAM_SCHEDULERS
from xtcocotools.cocoeval import Params

from sdpose.config.building import building
from sdpose.config.evaluators import is_coco
from sdpose.config.nodes import as_list, resolve_type
from sdpose.errors import ConfigError
from sdpose.io.folders import require_writable

_SPLITS = ('train', 'val', 'test')
_CLIPPING: dict[str, Callable] = dict(norm=torch.nn.utils.clip_grad_norm_, value=torch.nn.utils.clip_grad_value_)


class _Rule(NamedTuple):
    """What a key's value must be, where the key is set, and the splits of which any makes a run read it."""

    key: str
    fits: Callable[[Any], bool]
    wanted: str
    splits: tuple[str, ...] = ('train',)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_whole(value: Any, least: float = -math.inf) -> bool:
    """Whether a value is a whole number, as one may also be written (``2.0``), of at least so much."""
    return _is_number(value) and float(value).is_integer() and value >= least


def _is_int(value: Any, least: float = -math.inf) -> bool:
    return isinstance(value, int) and _is_whole(value, least)


def _is_above_0(value: Any) -> bool:
    return _is_number(value) and value > 0


def _is_level(value: Any) -> bool:
    return isinstance(value, int) or isinstance(logging.getLevelName(value), int)


def _is_scope(value: str) -> bool:
    return value in MODELS.root.children or value == MODELS.root.scope or find_spec(value.partition('.')[0]) is not None


def _clips(value: Any) -> bool:
    if value is None:
        return True
    if not isinstance(value, dict) or value.get('type', 'norm') not in _CLIPPING:
        return False
    given = {key: item for key, item in value.items() if key != 'type'}
    name = dict(norm='max_norm', value='clip_value')[value.get('type', 'norm')]
    taken = inspect.signature(_CLIPPING[value.get('type', 'norm')]).parameters.keys() - {'parameters'}
    return given.keys() <= taken and _is_above_0(given.get(name))


def _is_numbered(value: Any) -> bool:
    """Whether a template makes another name of each number."""
    try:
        return value is None or value.format(1) != value.format(2)
    except (AttributeError, LookupError, ValueError):
        return False


def _divides(value: Any) -> bool:
    """Whether numbers can be divided by; whatever is no number is its class's business."""
    return not any(_is_number(each) and not each for each in (value if isinstance(value, (list, tuple)) else [value]))


def _collects(value: Any) -> bool:
    return value in ('cpu', 'gpu', 'npu')


def _is_score_type(value: Any) -> bool:
    try:
        Params(value)
    except Exception:  # its own, of no other class
        return False
    return value.startswith('keypoints')  # the others compare boxes and outlines


_COCO_OPTIONS: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    ('iou_type', _is_score_type, "one that xtcocotools has, 'keypoints', 'keypoints_crowd' or 'keypoints_wholebody'"),
    (
        'score_mode',
        lambda value: value in ('bbox_keypoint', 'bbox', 'bbox_rle', 'keypoint'),
        "'bbox_keypoint', 'bbox', 'bbox_rle' or 'keypoint'",
    ),
    ('nms_mode', lambda value: value in ('oks_nms', 'soft_oks_nms', 'none'), "'oks_nms', 'soft_oks_nms' or 'none'"),
    ('nms_thr', lambda value: _is_number(value) and value >= 0, 'an OKS of at least 0'),
    ('keypoint_score_thr', lambda value: _is_number(value) and math.isfinite(value), 'a score'),
)


_RULES = (
    _Rule('train_cfg.max_epochs', lambda value: _is_whole(value, 1), 'a whole number of at least 1'),
    _Rule('train_cfg.max_iters', lambda value: _is_whole(value, 1), 'a whole number of at least 1'),
    _Rule(
        'train_cfg.val_interval',
        lambda value: _is_int(value, 1),
        'a whole number of at least 1; --no-validate trains without validation',
        ('val',),
    ),
    _Rule('train_cfg.val_begin', _is_int, 'a whole number', ('val',)),
    _Rule('default_hooks.checkpoint.interval', _is_int, 'a whole number; -1 for none before the end'),
    _Rule(
        'default_hooks.checkpoint.filename_tmpl', _is_numbered, "a name with '{}' in the place of the number, or None"
    ),
    _Rule('default_hooks.checkpoint.max_keep_ckpts', _is_int, 'a whole number; -1 for all'),
    _Rule('default_hooks.logger.interval', lambda value: _is_int(value, 1), 'a whole number of at least 1'),
    _Rule(
        'default_hooks.visualization.interval',
        lambda value: _is_int(value, 1),
        'a whole number of at least 1',
        ('val',),
    ),
    _Rule('optim_wrapper.accumulative_counts', lambda value: _is_int(value, 1), 'a whole number of at least 1'),
    _Rule(
        'optim_wrapper.clip_grad',
        _clips,
        "None, or dict(max_norm=...) or dict(type='value', clip_value=...) with a number above 0, and what torch's "
        'function of that name takes',
    ),
    _Rule(
        'optim_wrapper.optimizer.type',
        lambda value: resolve_type(dict(type=value), OPTIMIZERS) is not None,
        "an optimizer's name, as torch.optim has it",
    ),
    _Rule('log_processor.window_size', lambda value: _is_int(value, 1), 'a whole number of at least 1', _SPLITS),
    _Rule(
        'model.test_cfg.flip_mode',
        lambda value: value in ('heatmap', 'udp_combined', 'offset'),
        'heatmap, udp_combined or offset',
        ('val', 'test'),
    ),
    _Rule('model.data_preprocessor.std', _divides, 'without 0, since images are divided by it', _SPLITS),
    _Rule('default_scope', lambda value: isinstance(value, str) and _is_scope(value), 'a package of parts', _SPLITS),
    _Rule('log_level', _is_level, 'one of DEBUG, INFO, WARNING, ERROR, CRITICAL', _SPLITS),
    *(
        _Rule(f'{split}_dataloader.{key}', fits, wanted, (split,))
        for split in _SPLITS
        for key, fits, wanted in (
            ('batch_size', lambda value: _is_int(value, 1), 'a whole number of at least 1'),
            ('num_workers', lambda value: _is_int(value, 0), 'a whole number of at least 0'),
            (
                'prefetch_factor',
                lambda value: value is None or _is_int(value, 1),
                'a whole number of at least 1, or None',
            ),
        )
    ),
)


def check_values(cfg: Config, splits: Sequence[str]) -> None:
    """Check the values that only a later phase of a run reads, as what reads them demands.

    Raises:
        ConfigError: Naming the key, the value and what it must be.
    """
    for rule in _RULES:
        if not set(rule.splits).intersection(splits):
            continue
        for key, value in _values(cfg, rule.key):
            if not rule.fits(value):
                raise ConfigError(f'{key} is {value!r}: it must be {rule.wanted}')
    _check_timeouts(cfg, splits)
    _check_scoring(cfg, splits)
    if 'train' in splits:
        _check_loss_weights(cfg.get('model'), 'model')
        _check_checkpoint_folder(cfg)
        _check_seed(cfg)
        _check_schedules(cfg)
    _check_base_batch(cfg, splits)
    _check_device(cfg)
    hook = (cfg.get('default_hooks') or {}).get('checkpoint') or {}
    if 'train' in splits and hook.get('interval', 1) <= 0:
        last = 'only the end is saved' if hook.get('save_last', True) else 'nothing is saved'
        print_log(f'default_hooks.checkpoint.interval is {hook["interval"]}: {last}', 'current', logging.WARNING)


def _values(cfg: Config, dotted: str) -> Iterator[tuple[str, Any]]:
    """A key that is set, with its value; of each part of an optimizer wrapper that has several."""
    first, *keys = dotted.split('.')
    part = cfg.get(first)
    if first == 'train_cfg' and not _is_known_loop(part or {}):
        return
    if first == 'optim_wrapper' and isinstance(part, dict):
        for name, inner in part.items():
            if isinstance(inner, dict) and 'optimizer' in inner and keys[0] in inner:
                yield f'{first}.{name}.{keys[0]}', inner[keys[0]]
    for key in keys:
        if not isinstance(part, dict) or key not in part:
            return
        part = part[key]
    if keys or first in cfg:
        yield dotted, part


def _is_known_loop(loop: dict[str, Any]) -> bool:
    """Whether a training loop reads its numbers as MMEngine's do."""
    kind = resolve_type(loop, LOOPS) if loop.get('type') else EpochBasedTrainLoop
    return kind is not None and issubclass(kind, (EpochBasedTrainLoop, IterBasedTrainLoop))


def _check_timeouts(cfg: Config, splits: Sequence[str]) -> None:
    """Check that a loader that waits for its workers has some."""
    for split in splits:
        loader = cfg.get(f'{split}_dataloader') or {}
        if loader.get('timeout') and not loader.get('num_workers'):
            raise ConfigError(
                f'{split}_dataloader.timeout is {loader["timeout"]!r}, the seconds to wait for a worker, but '
                'num_workers is 0: set one of the two'
            )


def _check_scoring(cfg: Config, splits: Sequence[str]) -> None:
    """Check what a metric reads when all predictions are made."""
    for split in set(splits) & {'val', 'test'}:
        metrics = as_list(cfg.get(f'{split}_evaluator'))
        for number, metric in enumerate(metrics):
            where = f'{split}_evaluator' + (f'.{number}' if len(metrics) > 1 else '')
            if not _collects(metric.get('collect_device', 'cpu')):
                raise ConfigError(f"{where}.collect_device is {metric['collect_device']!r}: it must be 'cpu' or 'gpu'")
            for key, fits, wanted in _COCO_OPTIONS if is_coco(metric) else ():
                if key in metric and not fits(metric[key]):
                    raise ConfigError(f'{where}.{key} is {metric[key]!r}: it must be {wanted}')


def _check_loss_weights(part: Any, where: str) -> None:
    """Check that no loss is driven up; this project's own refuse it themselves, MMPose's do not."""
    items: Any = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, (list, tuple)) else ()
    for key, value in items:
        if key == 'loss_weight' and (not _is_number(value) or not value >= 0):
            raise ConfigError(f'{where}.loss_weight is {value!r}: it must be a number of at least 0')
        _check_loss_weights(value, f'{where}.{key}')


def _check_checkpoint_folder(cfg: Config) -> None:
    """Check that the folder that checkpoints go to instead of the run's can be written."""
    folder = ((cfg.get('default_hooks') or {}).get('checkpoint') or {}).get('out_dir')
    if isinstance(folder, str) and '://' not in folder:
        require_writable(folder, 'default_hooks.checkpoint.out_dir')


def _check_seed(cfg: Config) -> None:
    """Let NumPy, which is stricter than the others, read the seed."""
    seed = (cfg.get('randomness') or {}).get('seed')
    try:
        np.random.RandomState(seed)
    except (TypeError, ValueError) as error:
        raise ConfigError(f'randomness.seed is {seed!r}: {error}') from error


def _check_schedules(cfg: Config) -> None:
    """Build every schedule for a parameter of no consequence; the real ones come after the first epoch's data."""
    schedules = cfg.get('param_scheduler') or []
    for number, each in enumerate(schedules if isinstance(schedules, (list, tuple)) else [schedules]):
        if not isinstance(each, dict) or 'type' not in each:
            continue  # of several optimizers
        part = {key: value for key, value in each.items() if key != 'convert_to_iter_based'}
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0, momentum=0.9)
        init_default_scope(cfg.get('default_scope', 'mmpose'))
        with building(f'param_scheduler.{number}'):
            schedule = PARAM_SCHEDULERS.build(part, default_args=dict(optimizer=optimizer))
        try:
            optimizer.step()
            schedule.step()
        except ArithmeticError as error:
            raise ConfigError(f'param_scheduler.{number}: its numbers cannot be computed with ({error})') from error


def _check_base_batch(cfg: Config, splits: Sequence[str]) -> None:
    scaling = cfg.get('auto_scale_lr') or {}
    if 'train' in splits and scaling.get('enable') and not _is_above_0(scaling.get('base_batch_size')):
        raise ConfigError(
            f'auto_scale_lr.base_batch_size is {scaling.get("base_batch_size")!r}: it must be the number of samples, '
            'over all GPUs, that the learning rate belongs to'
        )


def _check_device(cfg: Config) -> None:
    device = cfg.get('device')
    if device is not None and str(device).partition(':')[0] != get_device():
        raise ConfigError(
            f'device is {device!r}, but nothing reads it: a run takes {get_device()}; CUDA_VISIBLE_DEVICES in the '
            'environment chooses a GPU, and CUDA_VISIBLE_DEVICES= the CPU'
        )
