"""Reading a config, merging options into it, and finding the keys that nothing will read."""

import difflib
import inspect
import logging
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.config.utils import ConfigParsingError
from mmengine.logging import print_log
from mmpose.registry import DATASETS, HOOKS, KEYPOINT_CODECS, METRICS, MODELS, PARAM_SCHEDULERS, TRANSFORMS

from sdpose.errors import ConfigError

from .argument_types import annotated_types, describe, fits
from .find import find_config
from .nodes import DATA_KEYS, resolve_type

_REGISTRIES = (MODELS, DATASETS, TRANSFORMS, HOOKS, METRICS, KEYPOINT_CODECS, PARAM_SCHEDULERS)
# Classes whose keyword arguments are exactly a config's keys; libraries below them accept more than they name.
_CHECKED_PACKAGES = ('sdpose.', 'mmpose.', 'mmengine.optim.scheduler.')
_ABSENT = object()
# Keys that are no argument of the part beside them: the registry's own, what a distiller reads from its terms, and the
# runner from a schedule.
_READ_BY_OTHERS = ('type', '_scope_', 'on', 'convert_to_iter_based')


def load_config(path: str | Path, options: dict[str, Any] | None = None) -> Config:
    """Read a config, merge ``--cfg-options`` into it, and check the arguments of every part it names.

    The config is a file, or one of the package's by its name, see :func:`find_config`. An option whose
    key the config does not have yet is added, and said so, since it may be misspelt.

    Raises:
        ConfigError: If the file or one of its bases is missing or wrong, or a part does not take an argument.
    """
    try:
        file = find_config(path)
    except (FileNotFoundError, ValueError) as error:
        raise ConfigError(str(error)) from error
    try:
        cfg = Config.fromfile(file)
    except (
        OSError,
        SyntaxError,
        KeyError,
        NameError,
        AttributeError,
        ImportError,
        ValueError,
        ConfigParsingError,
    ) as error:
        raise ConfigError(f'config {path} cannot be read: {type(error).__name__}: {error}') from error
    for key, value in (options or {}).items():
        if not _has(cfg, key):
            _refuse_misspelt(cfg, key)
            print_log(
                f'--cfg-options {key} is new to this config; check its spelling if it should replace something',
                'current',
                logging.WARNING,
            )
        try:
            cfg.merge_from_dict({key: value})
        except (KeyError, TypeError) as error:
            raise ConfigError(f'--cfg-options {key}={value} does not fit the config: {error}') from error
    if not isinstance(cfg.get('model', {}), dict):
        raise ConfigError(f'config {path}: model must be a dict, not {cfg.model!r}')
    check_arguments(cfg.to_dict())
    return cfg


def check_arguments(cfg: Any, where: str = '') -> None:
    """Check that every part takes the arguments the config gives it.

    Covers the parts of this project and of MMPose, and schedules; a class that accepts anything is skipped. Values are
    compared with the types that this project's own parts name. What stands below :data:`DATA_KEYS` is data.

    Raises:
        ConfigError: Naming the place, the part, and the unknown key with the closest known one, or the value.
    """
    if isinstance(cfg, (list, tuple)):
        for number, item in enumerate(cfg):
            check_arguments(item, f'{where}.{number}')
    if not isinstance(cfg, dict):
        return
    part = _registered(cfg)
    name = '' if part is None else part.__name__
    known = _arguments(part) if part is not None else None
    wanted = annotated_types(part) if part is not None and part.__module__.startswith('sdpose.') else {}
    for key, value in cfg.items():
        if known is not None and key not in known and key not in _READ_BY_OTHERS:
            close = difflib.get_close_matches(key, known, n=1)
            hint = f'; did you mean {close[0]!r}?' if close else ''
            raise ConfigError(
                f'{where.lstrip(".")}: {name} has no argument {key!r}{hint} (it takes {", ".join(sorted(known))})'
            )
        if key in wanted and not fits(value, wanted[key]):
            raise ConfigError(f'{where.lstrip(".")}.{key} must be {describe(wanted[key])} for {name}, not {value!r}')
        if key not in DATA_KEYS:
            check_arguments(value, f'{where}.{key}')


def _registered(part: dict[str, Any]) -> type | None:
    """The class a config's ``type`` stands for, if it is one of the checked packages."""
    found = filter(None, (resolve_type(part, registry) for registry in _REGISTRIES))
    kind = next(found, None)
    return kind if kind is not None and kind.__module__.startswith(_CHECKED_PACKAGES) else None


def _arguments(part: type) -> set[str] | None:
    """The names a constructor takes, through the bases it passes keywords on to; None if it takes any."""
    known: set[str] = set()
    for cls in part.__mro__:
        if '__init__' not in vars(cls):
            continue
        parameters = inspect.signature(vars(cls)['__init__']).parameters.values()
        known |= {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)} - {'self'}
        if all(p.kind is not p.VAR_KEYWORD for p in parameters):
            return known
    return None


def _refuse_misspelt(cfg: Config, dotted: str) -> None:
    """Refuse a new key that is close to one beside it: it would change nothing and look as if it had.

    Raises:
        ConfigError: Naming the close one.
    """
    parts = dotted.split('.')
    depth = next(count for count in range(len(parts)) if not _has(cfg, '.'.join(parts[: count + 1])))
    parent, key = '.'.join(parts[:depth]), parts[depth]
    node = _node(cfg, parent) if parent else cfg
    close = difflib.get_close_matches(key, node.keys(), n=1, cutoff=0.8) if isinstance(node, (dict, Config)) else []
    if close:
        meant = f'{parent}.{close[0]}' if parent else close[0]
        raise ConfigError(
            f'--cfg-options {dotted}: the config has no such key; did you mean {meant}? '
            '(To add a new key all the same, write it into a config.)'
        )


def _has(cfg: Config | ConfigDict, dotted: str) -> bool:
    """Whether a dotted key exists; list items are numbers."""
    return _node(cfg, dotted) is not _ABSENT


def _node(cfg: Config | ConfigDict, dotted: str) -> Any:
    """The value of a dotted key, or ``_ABSENT``."""
    node: Any = cfg
    for key in dotted.split('.'):
        if isinstance(node, (list, tuple)) and key.isdigit() and int(key) < len(node):
            node = node[int(key)]
        elif isinstance(node, (dict, Config)) and key in node:
            node = node[key]
        else:
            return _ABSENT
    return node
