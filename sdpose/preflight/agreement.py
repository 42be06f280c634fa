"""Values of a config that must agree with each other, where a run would find out late, or never."""

import logging
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.hooks import CheckpointHook, EarlyStoppingHook
from mmengine.logging import print_log
from mmpose.registry import HOOKS

from sdpose.config.evaluators import writes_results
from sdpose.config.nodes import as_list, holds_metrics, resolve_type
from sdpose.errors import ConfigError
from sdpose.io.folders import require_writable

from .metric_names import metric_names

# Schedules that lead up to the learning rate where they stand at the beginning.
_WARM_UPS = ('LinearLR', 'ConstantLR')
_LESS_IS_BETTER = ('EPE', 'NME')
_MORE_IS_BETTER = re.compile(r'(AP|AR|AUC|t?PCKh?|top\d+)\b')
_IN_WORDS = dict(less='less', greater='more')


def check_metrics(cfg: Config, splits: Sequence[str]) -> None:
    """Check that the metrics that hooks wait for are among those of the validation, and that results have a place.

    Raises:
        ConfigError: Naming the key, and the metrics that there are.
    """
    if 'val' not in splits:
        return
    metrics = as_list(cfg.get('val_evaluator'))
    _check_result_files(cfg, metrics)
    found = [metric_names(metric) for metric in metrics]
    _warn_of_no_validation(cfg)
    if None in found or not found and holds_metrics(cfg.get('val_evaluator')):
        return
    for key, awaited, rule, is_needed in _awaited(cfg):
        if awaited == 'auto' and all(names == set() for _, names in filter(None, found)):
            raise ConfigError(f'{key} waits for a metric, but val_evaluator gives none: set it to None')
        if awaited != 'auto' and not any(_gives(each, awaited) for each in found if each):
            given = sorted(name for each in found if each for name in _named(each))
            line = f'{key} is {awaited!r}, but val_evaluator gives {", ".join(given) or "no metric"}: set it to one'
            if is_needed:  # a hook that only stops early goes on without it, unless it is strict
                raise ConfigError(f'{line} of these, or to None')
            print_log(f'{line} of these, or nothing is stopped early', 'current', logging.WARNING)
        better = _better(awaited)
        if better and rule in ('less', 'greater') and rule != better:
            print_log(
                f'{key} is {awaited!r}, of which {_IN_WORDS[better]} is better, but the rule beside it is {rule!r}: '
                f'set it to {better!r}',
                'current',
                logging.WARNING,
            )


def _better(metric: str) -> str:
    """The rule of a metric whose better values are known."""
    name = metric.rpartition('/')[2]
    return 'less' if name in _LESS_IS_BETTER else 'greater' if _MORE_IS_BETTER.match(name) else ''


def _warn_of_no_validation(cfg: Config) -> None:
    """Say so if a training ends before its first validation."""
    loop = cfg.get('train_cfg') or {}
    begin, end = loop.get('val_begin', 1), loop.get('max_epochs', loop.get('max_iters'))
    if all(isinstance(each, (int, float)) for each in (begin, end)) and begin > end:
        print_log(
            f'train_cfg.val_begin is {begin}, after the end of the training at {end}: nothing is validated, and no '
            'best checkpoint is saved',
            'current',
            logging.WARNING,
        )


def _check_result_files(cfg: Config, metrics: list[dict[str, Any]]) -> None:
    """Check that results that a validation writes have a place."""
    for number, metric in enumerate(metrics):
        if metric.get('format_only') and not metric.get('outfile_prefix') and writes_results(metric):
            key = 'val_evaluator' + (f'.{number}' if isinstance(cfg.val_evaluator, (list, tuple)) else '')
            raise ConfigError(
                f'{key}.format_only only writes results, and {key}.outfile_prefix does not say where: set it, or train '
                'with --no-validate'
            )
        if metric.get('outfile_prefix') and writes_results(metric):
            require_writable(Path(metric['outfile_prefix']).absolute().parent, 'val_evaluator.outfile_prefix')


def _awaited(cfg: Config) -> Iterator[tuple[str, str, Any, bool]]:
    """The key, the metric and the rule of each hook that reads a metric, and whether it cannot do without."""
    hooks = {f'default_hooks.{name}': hook for name, hook in (cfg.get('default_hooks') or {}).items()}
    hooks |= {f'custom_hooks.{number}': hook for number, hook in enumerate(cfg.get('custom_hooks') or [])}
    for where, hook in hooks.items():
        kind = resolve_type(hook, HOOKS) if isinstance(hook, dict) else None
        if kind is not None and issubclass(kind, CheckpointHook) and hook.get('save_best'):
            best, rules = hook['save_best'], hook.get('rule')
            names = [each for each in ([best] if isinstance(best, str) else _items(best)) if isinstance(each, str)]
            rules = [rules] * len(names) if not isinstance(rules, (list, tuple)) else rules
            yield from ((f'{where}.save_best', *pair, True) for pair in zip(names, rules))
        if kind is not None and issubclass(kind, EarlyStoppingHook) and isinstance(hook.get('monitor'), str):
            yield f'{where}.monitor', hook['monitor'], hook.get('rule'), bool(hook.get('strict'))


def _items(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else []


def _named(given: tuple[str, set[str] | None]) -> list[str]:
    """The metrics in full; for a class whose names are not known, what they begin with."""
    prefix, names = given
    start = f'{prefix}/' if prefix else ''
    return [f'{start}...'] if names is None else [f'{start}{name}' for name in names]


def _gives(given: tuple[str, set[str] | None], name: str) -> bool:
    prefix, names = given
    return name in _named(given) if names is not None else not prefix or name.startswith(f'{prefix}/')


def check_schedule(cfg: Config, splits: Sequence[str]) -> None:
    """Say so if the learning rate's schedule ends elsewhere than the training."""
    loop = cfg.get('train_cfg') or {}
    unit = 'epochs' if 'max_epochs' in loop else 'iters'
    length = loop.get(f'max_{unit}')
    if 'train' not in splits or not isinstance(length, (int, float)):
        return
    schedules = cfg.get('param_scheduler') or []
    schedules = schedules if isinstance(schedules, (list, tuple)) else [schedules]
    ends = {}
    for number, each in enumerate(schedules):
        if isinstance(each, dict) and each.get('by_epoch', True) == (unit == 'epochs'):
            end = _end(each, length)
            is_warm_up = str(each.get('type')) in _WARM_UPS and not each.get('begin') and len(schedules) > 1
            if math.isfinite(end) and (end > length or not is_warm_up):
                ends[end] = number
    if ends and max(ends) != length:
        print_log(
            f'the schedule of the learning rate (param_scheduler.{ends[max(ends)]}) ends at {unit[:-1]} {max(ends):g}, '
            f'but the training at {length} (train_cfg.max_{unit}): it is cut off, or stays at its last value; set '
            'both, or the variable from which the config computes them, if it has one',
            'current',
            logging.WARNING,
        )


def _end(schedule: dict[str, Any], length: float) -> float:
    """Where a schedule changes the learning rate for the last time, as far as it says so."""
    end, begin = schedule.get('end', math.inf), schedule.get('begin', 0)
    milestones = schedule.get('milestones')
    if isinstance(milestones, (list, tuple)) and end > length and all(each < length for each in milestones):
        return length  # nothing is left of it then
    if not math.isfinite(end):
        end = begin + schedule.get('T_max', schedule.get('total_steps', math.inf))
    return end


def check_flips(cfg: Config, splits: Sequence[str]) -> None:
    """Say so if predictions are averaged with those of mirrored images, though the model is trained on none."""
    model, loader = cfg.get('model') or {}, cfg.get('train_dataloader')
    if not (model.get('test_cfg') or {}).get('flip_test') or not isinstance(loader, dict):
        return
    dataset = loader.get('dataset')
    steps = list(_parts(dataset))
    if any('pipeline' in step for step in steps) and not any(map(_flips, steps)):
        print_log(
            'model.test_cfg.flip_test averages predictions with those of the mirrored image, but train_dataloader has '
            "no RandomFlip: the model has not learned mirrored images; add dict(type='RandomFlip'), or set flip_test "
            'to False',
            'current',
            logging.WARNING,
        )


def _flips(step: dict[str, Any]) -> bool:
    if 'flip' not in str(step.get('type')).lower():
        return False
    chances = step.get('prob', step.get('p', 0.5))
    return any(chance > 0 for chance in (chances if isinstance(chances, (list, tuple)) else [chances]))


def _parts(node: Any) -> Iterator[dict[str, Any]]:
    """Every dict of a part of a config."""
    if isinstance(node, dict):
        yield node
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, (list, tuple)) else ():
        yield from _parts(inner)
