"""Reading a config with options in it, and finding the keys that nothing will read."""

import difflib
import logging
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.utils import import_modules_from_strings
from mmpose.registry import DATASETS, HOOKS, KEYPOINT_CODECS, METRICS, MODELS, PARAM_SCHEDULERS, TRANSFORMS

from sdpose.compat.config_files import reason
from sdpose.errors import ConfigError, Stopped, UserError

from .argument_types import annotated_types, describe, fits, named_arguments
from .find import find_config
from .nodes import DATA_KEYS, resolve_type
from .overrides import override
from .stated_types import check_stated_types
from .variables import read_config

_ENDINGS = ('.py', '.json', '.yml', '.yaml')
_REGISTRIES = (MODELS, DATASETS, TRANSFORMS, HOOKS, METRICS, KEYPOINT_CODECS, PARAM_SCHEDULERS)
# Classes whose keyword arguments are exactly a config's keys, beside those of the packages that a config imports;
# libraries below them accept more than they name.
_CHECKED_PACKAGES = ('sdpose', 'mmpose')
_CHECKED_MODULES = 'mmengine.optim.scheduler.'
# What a run reads as a part, or several; each may be None, but for the model.
_FORMS: dict[tuple[type, ...], tuple[str, ...]] = {
    (dict,): (
        *('model', 'train_cfg', 'val_cfg', 'test_cfg', 'default_hooks', 'env_cfg', 'auto_scale_lr', 'randomness'),
        *('train_dataloader', 'val_dataloader', 'test_dataloader', 'optim_wrapper', 'log_processor', 'visualizer'),
    ),
    (dict, list, tuple): ('val_evaluator', 'test_evaluator', 'param_scheduler'),
    (list, tuple): ('custom_hooks',),
    (str,): ('work_dir', 'load_from', 'default_scope', 'experiment_name'),
}
_NEVER_NONE = ('model', 'env_cfg', 'randomness')
_FORM_WORDS: dict[type, str] = {dict: 'a dict', list: 'a list', tuple: 'a list', str: 'text'}
# Keys that are no argument of the part beside them: the registry's own, what a distiller reads from its terms, and the
# runner from a schedule.
_READ_BY_OTHERS = ('type', '_scope_', 'on', 'convert_to_iter_based')


def load_config(path: str | Path, options: dict[str, Any] | None = None) -> Config:
    """Read a config with ``--cfg-options`` in it, and check the arguments of every part it names.

    The config is a file, or one of the package's by its name, see :func:`find_config`. An option takes the place of
    what the config, or a base of it, gives its key, so that all that is computed from it follows. One whose key the
    config does not have yet is added, and said so, since it may be misspelt.

    Args:
        path: The file or name.
        options: Values by dotted keys.

    Raises:
        ConfigError: If the file or one of its bases is missing or wrong, an option does not fit, or a part does not
            take an argument or its value.
    """
    try:
        file = find_config(path)
    except (FileNotFoundError, ValueError) as error:
        raise ConfigError(str(error)) from error
    if file.suffix not in _ENDINGS:
        raise ConfigError(
            f'config {path}: a config ends in .py, .json, .yml or .yaml; tools that read a checkpoint, too, take the '
            'config before it'
        )
    try:
        cfg = read_config(file)
        if options:
            cfg, new = override(file, cfg, options)
            for key in new:
                print_log(
                    f'--cfg-options {key} is new to this config; check its spelling if it should replace something',
                    'current',
                    logging.WARNING,
                )
            if any(key.partition('.')[0] == 'custom_imports' for key in options):
                import_modules_from_strings(**cfg.custom_imports)
    except (UserError, Stopped):
        raise
    except (Exception, SystemExit) as error:  # of a module that it imports, or of its form as a whole
        raise ConfigError(f'config {path} cannot be read: {reason(error)}') from error
    _check_forms(cfg, path)
    check_arguments(cfg.to_dict(), packages=(*_CHECKED_PACKAGES, *_imported(cfg)))
    check_stated_types(cfg.to_dict())
    return cfg


def _check_forms(cfg: Config, path: str | Path) -> None:
    """Check that what a run reads as parts are parts.

    Raises:
        ConfigError: Naming the key.
    """
    for kinds, keys in _FORMS.items():
        for key in keys:
            value = cfg.get(key)
            if (
                value is not None
                and not isinstance(value, kinds)
                or (key in _NEVER_NONE and key in cfg and value is None)
            ):
                forms = ' or '.join(dict.fromkeys(_FORM_WORDS[kind] for kind in kinds))
                raise ConfigError(f'config {path}: {key} must be {forms}, not {value!r}')
    _check_dataset_forms(cfg, path)
    for where in ('default_hooks', 'custom_hooks'):
        hooks = cfg.get(where) or {}
        for name, hook in hooks.items() if isinstance(hooks, dict) else enumerate(hooks):
            if not isinstance(hook, (dict, Hook)) and hook is not None:
                raise ConfigError(f'config {path}: {where}.{name} must be a dict, not {hook!r}')


def _check_dataset_forms(cfg: Config, path: str | Path) -> None:
    for loader in (f'{split}_dataloader' for split in ('train', 'val', 'test')):
        _check_dataset_form((cfg.get(loader) or {}).get('dataset', {}), f'config {path}: {loader}.dataset')


def _check_dataset_form(dataset: Any, where: str) -> None:
    """Check the form of a data set's config and of those that it wraps."""
    if not isinstance(dataset, dict):
        raise ConfigError(f'{where} must be a dict, not {dataset!r}')
    for key in ('data_root', 'ann_file', 'bbox_file'):
        if not isinstance(dataset.get(key), (str, PathLike, type(None))):
            raise ConfigError(f'{where}.{key} must be a path, not {dataset[key]!r}')
    steps = dataset.get('pipeline') or []
    if not isinstance(steps, (list, tuple)):
        raise ConfigError(f'{where}.pipeline must be a list of steps, not {steps!r}')
    for number, step in enumerate(steps):
        if not isinstance(step, dict) and not callable(step):
            raise ConfigError(f'{where}.pipeline.{number} must be a step, a dict, not {step!r}')
    if not isinstance(dataset.get('datasets') or [], (list, tuple)):
        raise ConfigError(f'{where}.datasets must be a list, not {dataset["datasets"]!r}')
    if dataset.get('dataset') is not None:
        _check_dataset_form(dataset['dataset'], f'{where}.dataset')
    for number, inner in enumerate(dataset.get('datasets') or []):
        _check_dataset_form(inner, f'{where}.datasets.{number}')


def _imported(cfg: Config) -> list[str]:
    """The packages that a config imports for its parts."""
    names = (cfg.get('custom_imports') or {}).get('imports') or []
    return [name.partition('.')[0] for name in ([names] if isinstance(names, str) else names)]


def check_arguments(cfg: Any, where: str = '', packages: Sequence[str] = _CHECKED_PACKAGES) -> None:
    """Check that every part takes the arguments the config gives it.

    Covers the parts of this project, of MMPose and of the packages that a config imports, and schedules; a class that
    accepts anything is skipped. Values are compared with the types that the parts name, but for MMPose's. What stands
    below :data:`DATA_KEYS` is data.

    Args:
        cfg: A config, or a part of one.
        where: Its dotted key, for messages.
        packages: Those whose classes are checked.

    Raises:
        ConfigError: Naming the place, the part, and the unknown key with the closest known one, or the value.
    """
    if isinstance(cfg, (list, tuple)):
        for number, item in enumerate(cfg):
            check_arguments(item, f'{where}.{number}', packages)
    if not isinstance(cfg, dict):
        return
    part = _registered(cfg, packages)
    name = '' if part is None else part.__name__
    known = _all_arguments(part) if part is not None else None
    wanted = annotated_types(part) if part is not None else {}
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
            check_arguments(value, f'{where}.{key}', packages)


def _registered(part: dict[str, Any], packages: Sequence[str]) -> type | None:
    """The class a config's ``type`` stands for, if it is one of the checked packages."""
    found = filter(None, (resolve_type(part, registry) for registry in _REGISTRIES))
    kind = next(found, None)
    if kind is None or kind.__module__.startswith(_CHECKED_MODULES):
        return kind
    return kind if kind.__module__.partition('.')[0] in packages else None


def _all_arguments(part: type) -> set[str] | None:
    """The names a constructor takes; None if it takes any."""
    known, takes_any = named_arguments(part)
    return None if takes_any else known
