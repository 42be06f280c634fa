"""Overrides of single keys: fitted to what a config has there, refused if misspelt, or if nothing would follow them."""

import difflib
import logging
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import mmpose.registry
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.optim import OptimWrapper
from mmengine.registry import Registry
from mmengine.runner import EpochBasedTrainLoop, LogProcessor, Runner, TestLoop, ValLoop
from torch.utils.data import DataLoader

from sdpose.errors import ConfigError, first_few

from .argument_types import named_arguments
from .nodes import moved, resolve_type
from .values import parse_value
from .variables import RUN_KEYS, differences, read_config, replaced

_ABSENT = object()
# What reads a part that names no type.
_READERS: dict[str, type] = {
    '': Runner,
    **{f'{split}_dataloader': DataLoader for split in ('train', 'val', 'test')},
    'train_cfg': EpochBasedTrainLoop,
    'val_cfg': ValLoop,
    'test_cfg': TestLoop,
    'optim_wrapper': OptimWrapper,
    'log_processor': LogProcessor,
}
# Where paths stand that a config writes out, though it has a variable for their folder.
_WITH_PATHS = [f'{split}_{part}' for split in ('train', 'val', 'test') for part in ('dataloader', 'evaluator')]
# Variables of which no part is made, and that are read all the same.
_READ_ALL_THE_SAME = frozenset(
    'codec input_size data_hint custom_imports find_unused_parameters model_wrapper_cfg sync_bn compile '
    'allow_mismatch'.split()
)


def override(file: Path, cfg: Config, options: Mapping[str, Any]) -> tuple[Config, list[str]]:
    """The config of a file with overrides of its keys, in all that the file and its bases compute from them.

    Args:
        file: The config's file.
        cfg: The config as it is without them.
        options: Values by dotted keys.

    Returns:
        The config, and the keys that are new to it, and that no part is known to take.

    Raises:
        ConfigError: If a key is misspelt, or nothing that a run reads follows it, or a value does not fit.
    """
    options = {key: _fitted(node(cfg, key), value) for key, value in options.items()}
    new = [key for key in options if node(cfg, key) is _ABSENT and not _is_taken(cfg, key, options)]
    for key in new:
        _refuse_misspelt(cfg, key)
    for key, value in options.items():
        if key.partition('.')[0] not in RUN_KEYS and node(cfg, key) != value:
            _require_followers(file, cfg, key, value)
    changed = _evaluated(file, options)
    for key, value in options.items():
        try:
            changed.merge_from_dict({key: value})
        except (KeyError, TypeError, AttributeError) as error:
            _refuse_within_a_value(cfg, key, value)
            raise ConfigError(f'--cfg-options {key}={value} does not fit the config: {error}') from error
    _move_folders(changed, cfg, options)
    return changed, new


def node(cfg: Any, dotted: str) -> Any:
    """The value of a dotted key, whose list items are numbers, or an object of its own if there is none."""
    for key in dotted.split('.'):
        if isinstance(cfg, (list, tuple)) and key.isdigit() and int(key) < len(cfg):
            cfg = cfg[int(key)]
        elif isinstance(cfg, (dict, Config)) and key in cfg:
            cfg = cfg[key]
        else:
            return _ABSENT
    return cfg


def _refuse_within_a_value(cfg: Config, key: str, value: Any) -> None:
    """Refuse a key below one whose value holds no keys, such as a word: the whole value must be given instead."""
    above, _, rest = key.rpartition('.')
    while above:
        held = node(cfg, above)
        if isinstance(held, (str, int, float)):
            whole = value
            for name in reversed(rest.split('.')):
                whole = {name: whole}
            raise ConfigError(
                f'{above} is {held!r}, which has no keys: give the whole value, --cfg-options "{above}={whole}"'
            )
        above, _, last = above.rpartition('.')
        rest = f'{last}.{rest}'


def _fitted(old: Any, new: Any) -> Any:
    """A value as the one that it replaces is written: words with commas for a list, a folder with its slash."""
    if isinstance(old, (list, tuple)) and isinstance(new, str) and ',' in new:
        return [parse_value(item) for item in new.split(',')]
    if isinstance(old, str) and old.endswith('/') and isinstance(new, (str, os.PathLike)) and str(new):
        return os.path.join(new, '')
    return new


def _evaluated(file: Path, options: Mapping[str, Any]) -> Config:
    """The files evaluated with the options in them.

    A file may need what an option takes from a part, such as a hook that it changes: then only variables get theirs.
    """
    try:
        return read_config(file, options)
    except ConfigError:
        return read_config(
            file, {key: value for key, value in options.items() if key.partition('.')[0] not in RUN_KEYS}
        )


def _is_taken(cfg: Config, dotted: str, options: Mapping[str, Any]) -> bool:
    """Whether a key is an argument of the part beside it: of the type that is, or will be, set there."""
    parent, _, key = dotted.rpartition('.')
    part = node(cfg, parent) if parent else {}
    for other, value in options.items():  # in whatever order they stand
        if parent == other:
            part = value
        elif parent.startswith(f'{other}.') and isinstance(value, dict):
            part = node(value, parent[len(other) + 1 :])
    kind = options.get(f'{parent}.type', part.get('type') if isinstance(part, dict) else None)
    reader = _READERS.get(parent) if kind is None or key == 'type' else _class(kind)
    return reader is not None and (key == 'type' or key in named_arguments(reader)[0])


def _class(kind: Any) -> type | None:
    """The class of a ``type``, of whatever registry."""
    found = (resolve_type(dict(type=kind), registry) for registry in _registries())
    return next(filter(None, found), None)


def _are_kin(first: Any, second: Any) -> bool:
    """Whether two types are the same, or one is a subclass of the other."""
    if first is _ABSENT or first == second:
        return first == second
    one, other = _class(first), _class(second)
    return one is not None and other is not None and (issubclass(one, other) or issubclass(other, one))


@cache
def _registries() -> list[Registry]:
    return [each for each in vars(mmpose.registry).values() if isinstance(each, Registry)]


def _refuse_misspelt(cfg: Config, dotted: str) -> None:
    """Refuse a new key that is close to one beside it: it would change nothing and look as if it had.

    Raises:
        ConfigError: Naming the close one.
    """
    parts = dotted.split('.')
    depth = next(count for count in range(len(parts)) if node(cfg, '.'.join(parts[: count + 1])) is _ABSENT)
    parent, key = '.'.join(parts[:depth]), parts[depth]
    beside = node(cfg, parent) if parent else cfg
    known = list(beside.keys()) if isinstance(beside, (dict, Config)) else []
    close = difflib.get_close_matches(key, [str(each) for each in known], n=1, cutoff=0.8)
    if close:
        meant = f'{parent}.{close[0]}' if parent else close[0]
        raise ConfigError(
            f'--cfg-options {dotted}: the config has no such key; did you mean {meant}? '
            '(To add a new key all the same, write it into a config.)'
        )


def _require_followers(file: Path, cfg: Config, key: str, value: Any) -> None:
    """Refuse to set a variable that nothing is computed from, where a run reads a key that must be meant.

    That is one of its name beside the same type (or one of which one is a subclass), or with the same value; any of its
    name for one that there is not. Somebody's own parts may read others while they run.

    Raises:
        ConfigError: Naming them.
    """
    before = {name: item for name, item in cfg.to_dict().items() if name in RUN_KEYS}
    after = read_config(file, {key: value}).to_dict()
    if any(differences(before[name], after.get(name)) for name in before):
        return
    parent, _, last = key.rpartition('.')
    old, kind = node(cfg, key), node(cfg, f'{parent}.type')
    meant = [
        place
        for place in _places(before, last)
        if node(before, place) != value
        and (
            old in (_ABSENT, node(before, place))
            if kind is _ABSENT
            else _are_kin(node(before, f'{place.rpartition(".")[0]}.type'), kind)
        )
    ]
    if meant and (last != 'type' or kind is not _ABSENT):
        raise ConfigError(
            f'--cfg-options {key}: nothing that a run reads is computed from it in this config; set {first_few(meant)}'
        )
    is_folder = isinstance(old, str) and old.endswith('/')  # which reaches paths that are written out, too
    if old is not _ABSENT and not is_folder and key.partition('.')[0] not in _READ_ALL_THE_SAME:
        print_log(
            f'--cfg-options {key}: nothing that a run reads is computed from it in this config; set the keys of the '
            'parts themselves',
            'current',
            logging.WARNING,
        )


def _places(part: Any, last: str, where: str = '') -> list[str]:
    """The dotted keys that end with a name."""
    if isinstance(part, dict):
        items = [(str(key), value) for key, value in part.items()]
    elif isinstance(part, (list, tuple)):
        items = [(str(number), value) for number, value in enumerate(part)]
    else:
        return []
    found = [f'{where}{key}' for key, _ in items if key == last]
    return found + [place for key, value in items for place in _places(value, last, f'{where}{key}.')]


def _move_folders(cfg: Config, before: Config, options: Mapping[str, Any]) -> None:
    """Let the variable of a folder reach the paths below it that the config has written out, too."""
    for key, new in options.items():
        old = node(before, key)
        if '.' in key or not (isinstance(old, str) and isinstance(new, str)) or not old.endswith('/') or old == new:
            continue
        for name in _WITH_PATHS:
            if cfg.get(name) and before.get(name):
                now, then = cfg.to_dict()[name], before.to_dict()[name]
                paths = moved(then, old, new)
                for place in differences(then, paths):
                    if node(now, place) == node(then, place):
                        now = replaced(now, place.split('.'), node(paths, place))
                cfg[name] = now
