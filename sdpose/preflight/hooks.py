"""Hooks that steer a training: is it long enough for them, do two of them steer the same, does the model fit?"""

from collections.abc import Iterator, Sequence
from typing import Any

from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import HOOKS

from sdpose.config.building import building
from sdpose.config.nodes import resolve_type
from sdpose.errors import ConfigError


def check_hooks(cfg: Config, splits: Sequence[str]) -> None:
    """Check the hooks that say what they set (``sets``), need (``needed_epochs``) and fit (``require_fit``).

    Raises:
        ConfigError: Naming the hook, and what to change.
    """
    if 'train' not in splits:
        return
    length = (cfg.get('train_cfg') or {}).get('max_epochs')
    neck = (cfg.get('model') or {}).get('neck') or {}
    setters: dict[str, str] = {}
    for key, hook in _steering(cfg):
        where = f'{key} ({type(hook).__name__})'
        if hook.sets in setters:
            raise ConfigError(f'{setters[hook.sets]} and {where} both set {hook.sets}: keep one of them')
        setters[hook.sets] = where
        needed = getattr(hook, 'needed_epochs', 0)
        if isinstance(length, (int, float)) and needed > length:
            raise ConfigError(
                f'{where} needs {needed:g} epochs, but the training has {length} (train_cfg.max_epochs): it would not '
                'come to its end; give the hook fewer epochs, or the training more'
            )
        if hasattr(hook, 'require_fit'):
            hook.require_fit(neck.get('num_cycles', 1), neck.get('test_cycles', 1))


def _steering(cfg: Config) -> Iterator[tuple[str, Any]]:
    """The keys of hooks that say what they set, and these, built."""
    hooks = {f'default_hooks.{name}': hook for name, hook in (cfg.get('default_hooks') or {}).items()}
    hooks |= {f'custom_hooks.{number}': hook for number, hook in enumerate(cfg.get('custom_hooks') or [])}
    for key, hook in hooks.items():
        kind = resolve_type(hook, HOOKS) if isinstance(hook, dict) else None
        if kind is not None and hasattr(kind, 'sets'):
            init_default_scope(cfg.get('default_scope', 'mmpose'))
            with building(key):
                yield key, HOOKS.build({name: value for name, value in hook.items() if name != 'priority'})
