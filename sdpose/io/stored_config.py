"""The config that a checkpoint carries, read as data: nothing in it is run and nothing is imported."""

import ast
import hashlib
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from typing import Any

import mmengine.registry
from mmengine.config import Config
from mmengine.registry import Registry

from sdpose.errors import ConfigError

_LONGEST = 2**22
_COLLECTIONS: dict[str, Callable] = {'dict': dict, 'list': list, 'tuple': tuple, 'set': set}
# Keys whose text MMEngine looks up in its registries, and imports from anywhere if it is not in them.
_LOOKED_UP = ('type', 'collate_fn', '_scope_', 'default_scope')
# The files whose configs are known, by the hash of the text.
_sources: dict[str, str] = {}


def remember(checkpoint: Mapping, source: str) -> None:
    """Know the configs of a loaded checkpoint again, wherever their text is turned into a config later.

    Args:
        checkpoint: The checkpoint.
        source: Its file or address, for messages.
    """
    for text in _texts(checkpoint):
        _sources[_digest(text)] = source


def source_of(text: str) -> str | None:
    """The checkpoint file that a config's text came out of; None for any other text."""
    return _sources.get(_digest(text))


def stored_config(checkpoint: Mapping, source: str) -> Config:
    """The config that a training or a publication put into a checkpoint.

    Args:
        checkpoint: The loaded checkpoint.
        source: Its file or address, for messages.

    Raises:
        ConfigError: If there is none, or it is more than plain data.
    """
    text = next(_texts(checkpoint), None)
    if text is None:
        raise ConfigError(f'{source} carries no config: name one, {_cure(source)}')
    return parse_config(text, source)


def parse_config(text: str, source: str) -> Config:
    """Read a config's text as MMEngine writes it (``Config.pretty_text``): assignments of literals and ``dict(...)``.

    Args:
        text: The text.
        source: The checkpoint that it is from, for messages.

    Raises:
        ConfigError: If it holds anything else: imports, calls, base files, or a ``type`` that is no registered class.
    """
    try:
        if len(text) > _LONGEST:
            raise _OddError('it is longer than any config')
        values = dict(_assigned(statement) for statement in ast.parse(text).body)
        if '_base_' in values:
            raise _OddError('it has base files')
        _require_registered(values, _registered())
        return Config(values, cfg_text=text)
    except (_OddError, SyntaxError, ValueError, TypeError, KeyError, RecursionError, MemoryError) as error:
        reason = str(error).partition('\n')[0] or type(error).__name__
        raise ConfigError(
            f'the config inside {source} is more than plain data ({reason}) and was not run: name a '
            f'config that you trust, {_cure(source)}'
        ) from None


class _OddError(Exception):
    """Something that is not plain data; the message says what."""


def _texts(checkpoint: Mapping) -> Iterator[str]:
    """The texts of configs in a checkpoint, first the one that MMEngine prefers."""
    hub, meta = (checkpoint.get(key) for key in ('message_hub', 'meta'))
    info = hub.get('runtime_info') if isinstance(hub, Mapping) else None
    for holder, key in ((info, 'cfg'), (meta, 'cfg'), (meta, 'config')):
        if isinstance(holder, Mapping) and isinstance(holder.get(key), str):
            yield holder[key]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()


def _cure(source: str) -> str:
    return f'as in MMPoseInferencer(pose2d=CONFIG, pose2d_weights={source!r})'


def _assigned(statement: ast.stmt) -> tuple[str, Any]:
    if (
        not isinstance(statement, ast.Assign)
        or len(statement.targets) != 1
        or not isinstance(statement.targets[0], ast.Name)
    ):
        raise _OddError(f'line {statement.lineno} is no assignment')
    return statement.targets[0].id, _value(statement.value)


def _value(node: ast.expr) -> Any:
    """The value of a literal, or of ``dict(a=1)``, ``list([1])``, ``tuple([1])`` and ``set([1])``."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return {ast.List: list, ast.Tuple: tuple, ast.Set: set}[type(node)](map(_value, node.elts))
    if isinstance(node, ast.Dict):
        pairs = [(key, value) for key, value in zip(node.keys, node.values) if key is not None]
        if len(pairs) == len(node.keys):  # no **
            return {_value(key): _value(value) for key, value in pairs}
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        number = _value(node.operand)
        if type(number) in (int, float, complex):
            return -number if isinstance(node.op, ast.USub) else number
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _COLLECTIONS:
        named = {keyword.arg or '**': _value(keyword.value) for keyword in node.keywords}
        if '**' not in named and (node.func.id == 'dict' or not named):
            return _COLLECTIONS[node.func.id](*map(_value, node.args), **named)
    raise _OddError(f'line {node.lineno} has a {type(node).__name__}')


def _require_registered(value: Any, known: set[str]) -> None:
    """Raise if a name that MMEngine looks up would be imported from elsewhere than its registries."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key in _LOOKED_UP and isinstance(item, str) and item not in known and _can_be_imported(item):
                raise _OddError(f'{key}={item!r} is none of the registered classes')
            _require_registered(item, known)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _require_registered(item, known)


def _can_be_imported(name: str) -> bool:
    try:
        return find_spec(name.partition('.')[0]) is not None
    except (ValueError, ImportError):
        return True


def _registered() -> set[str]:
    """Every name of MMEngine's registries and of those below: bare, with its scope, and the class's full name."""
    known: set[str] = set()
    left = [each for each in vars(mmengine.registry).values() if isinstance(each, Registry)]
    while left:
        registry = left.pop()
        left.extend(registry.children.values())
        known.add(registry.scope)
        for name, found in registry.module_dict.items():
            known.update((name, f'{registry.scope}.{name}', f'{found.__module__}.{found.__qualname__}'))
    return known
