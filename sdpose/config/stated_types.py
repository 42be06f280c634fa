"""Words where a class states a number, and the like: values that contradict the annotations of a library's class.

The annotations of MMEngine, MMPose and torch were not written to be held to, so only a value of quite another kind
contradicts one: text for a number or a switch, a number for text or a dict. A list is never refused, nor one item where
a list is stated, since many classes take one value or several and state one of the two; nor is ``None``, nor anything
where an annotation names a class.
"""

import inspect
import os
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Union

import mmpose.registry
from mmengine.registry import Registry
from mmengine.runner import Runner, set_random_seed
from torch.utils.data import DataLoader

from sdpose.errors import ConfigError

from .nodes import DATA_KEYS, resolve_type

_KINDS: dict[str, tuple[type, ...]] = {'a number': (bool, int, float), 'text': (str,), 'a dict': (Mapping,)}
_LISTS = (list, tuple, Sequence, typing.List, typing.Tuple, typing.Sequence)  # noqa: UP006
# Hooks and others that a whole config's key holds are built by name from these.
_REGISTRIES = tuple(each for each in vars(mmpose.registry).values() if isinstance(each, Registry))
# Whose annotations are true of what a constructor takes: those of torchvision, for one, state a number for the word
# ``'random'``.
_HELD = ('mmengine.', 'mmpose.', 'sdpose.', 'torch.optim.')
# What a run reads from its whole config, without an argument of that name.
_READ_FROM_CONFIG: dict[str, Any] = dict(compile=bool | dict, find_unused_parameters=bool, model_wrapper_cfg=dict)
# Switches that MMEngine reads from a dict without a class.
_SWITCHES = ('env_cfg.cudnn_benchmark', 'auto_scale_lr.enable', 'model.test_cfg.flip_test')


def check_stated_types(cfg: dict[str, Any]) -> None:
    """Check that no value of a config contradicts what the class that takes it states.

    Raises:
        ConfigError: Naming the key, what it must be, the class, and the value.
    """
    _check(cfg, _stated(Runner.__init__), '', 'a run')
    _check(cfg, _READ_FROM_CONFIG, '', 'a run')
    _check(cfg.get('randomness'), _stated(set_random_seed), 'randomness', 'a run')
    for loader in (f'{split}_dataloader' for split in ('train', 'val', 'test')):
        _check(cfg.get(loader), _stated(DataLoader.__init__), loader, 'DataLoader')
    for switch in _SWITCHES:
        node: Any = cfg
        *way, last = switch.split('.')
        for key in way:
            node = node.get(key) if isinstance(node, dict) else None
        _check(node, {last: bool}, '.'.join(way), 'a run')
    for where, part in _parts(cfg):
        kind = next(filter(None, (resolve_type(part, registry) for registry in _REGISTRIES)), None)
        if kind is not None and kind.__module__.startswith(_HELD):
            _check(part, _of_class(kind), where, kind.__name__)


def _check(part: Any, stated: dict[str, Any], where: str, name: str) -> None:
    for key in part.keys() & stated.keys() if isinstance(part, dict) else ():
        if contradicts(part[key], stated[key]):
            place = f'{where}.{key}'.lstrip('.')
            raise ConfigError(f'{place} is {part[key]!r}: it must be {_described(stated[key])} for {name}')


def contradicts(value: Any, stated: Any) -> bool:
    """Whether a value is of a kind that no alternative of an annotation is of."""
    kind = next((word for word, classes in _KINDS.items() if isinstance(value, classes)), None)
    alternatives = [_kind(each) for each in _alternatives(stated)]
    return kind is not None and None not in alternatives and kind not in alternatives and alternatives != ['None']


def _alternatives(stated: Any) -> Iterator[Any]:
    origin, inner = typing.get_origin(stated), typing.get_args(stated)
    if origin in (Union, types.UnionType):
        for each in inner:
            yield from _alternatives(each)
    elif stated in _LISTS or origin in _LISTS:
        for each in inner or [Any]:
            yield from () if each is Ellipsis else _alternatives(each)
    else:
        yield stated


def _kind(stated: Any) -> str | None:
    """The kind of values that an annotation without alternatives stands for; None if it says nothing about configs."""
    if stated in (None, type(None)):
        return 'None'
    cls = typing.get_origin(stated) or stated
    if cls is typing.Literal:
        cls = type(typing.get_args(stated)[0])
    if not isinstance(cls, type) or cls is object:
        return None
    if issubclass(cls, os.PathLike):
        return 'text'
    return next((word for word, classes in _KINDS.items() if cls in classes or issubclass(cls, classes)), None)


def _described(stated: Any) -> str:
    """An annotation in words."""
    alternatives = list(_alternatives(stated))
    words = ['True or False' if each is bool else _kind(each) or str(each) for each in alternatives]
    return ' or '.join(dict.fromkeys(words))


@cache
def _stated(function: Callable[..., Any]) -> dict[str, Any]:
    """The annotations of a function; without one, that of a switch or of ``1.0``. Unknown names say nothing."""
    found = {}
    for name, parameter in inspect.signature(function).parameters.items():
        stated = parameter.annotation
        if stated is parameter.empty:
            # Beyond MMEngine, a switch may also take a word (``pretrained=False``).
            is_switch = type(parameter.default) is bool and function.__module__.startswith('mmengine.')
            stated = type(parameter.default) if is_switch or type(parameter.default) is float else Any
        try:
            found[name] = eval(stated, function.__globals__) if isinstance(stated, str) else stated
        except Exception:  # a name for type checkers alone
            found[name] = Any
    return found


@cache
def _of_class(kind: type) -> dict[str, Any]:
    """The annotations of a constructor, through the bases that keywords are passed on to."""
    found: dict[str, Any] = {}
    for cls in kind.__mro__:
        constructor = vars(cls).get('__init__')
        if not inspect.isfunction(constructor):
            continue
        found = {**_stated(constructor), **found}
        if all(each.kind is not each.VAR_KEYWORD for each in inspect.signature(constructor).parameters.values()):
            break
    return {name: stated for name, stated in found.items() if name not in ('self', 'kwargs', 'args')}


def _parts(node: Any, where: str = '') -> Iterator[tuple[str, dict[str, Any]]]:
    """Every dict below a config that names a type, with its dotted key; what is data is left out."""
    if isinstance(node, dict):
        if 'type' in node:
            yield where, node
        items: Any = node.items()
    else:
        items = enumerate(node) if isinstance(node, (list, tuple)) else ()
    for key, value in items:
        if key not in DATA_KEYS:
            yield from _parts(value, f'{where}.{key}'.lstrip('.'))
