"""Variables of a config that other keys follow, whoever sets them: a base, a config that inherits it, an option.

MMEngine reads a config base by base, so what a base computes from a variable (``input_size=codec['input_size']``) keeps
its value when a later file sets another one, without a word. A key written as a reference is filled in when everything
has been merged:

=============================  ==================================================================
``'${codec}'``                 a copy of the variable, whatever it is
``'${codec.input_size}'``      a part of it
``'${codec.input_size // 4}'`` whole numbers divided; what leaves a remainder is refused
``'${data_root}val/x.json'``   a path below the folder
=============================  ==================================================================

:func:`resolve_on_reading` lets MMEngine's ``Config`` do so, hence MMPose's own tools and functions, too.
"""

import copy
import os
import re
import sys
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from functools import wraps
from typing import Any

from sdpose.errors import ConfigError

_REFERENCE = re.compile(r'\$\{\s*([A-Za-z_]\w*(?:\.\w+)*)\s*(?://\s*([1-9]\d*)\s*)?\}(.*)', re.DOTALL)


def resolve_on_reading() -> None:
    """Let every ``mmengine.Config`` fill its references in when it is made; again changes nothing."""
    config = sys.modules['mmengine.config.config'].Config
    original = config.__init__
    if hasattr(original, '__wrapped__'):
        return

    @wraps(original)
    def init_and_resolve(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        try:
            resolve(self._cfg_dict)
        except ConfigError as error:
            raise ConfigError(f'config {self.filename}: {error}') from error

    config.__init__ = init_and_resolve
    config._merge_a_into_b = staticmethod(_expanding(config._merge_a_into_b))


def _expanding(merge: Callable[..., Any]) -> Callable[..., Any]:
    """MMEngine's merging of a file into its bases, where a dict may lie over a reference to one, too.

    The reference is replaced by what it stands for at that place: its variable as the file and its bases have it.
    """
    is_merging = False

    @wraps(merge)
    def expand_and_merge(file: dict[str, Any], bases: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        nonlocal is_merging
        if is_merging:  # it calls itself for every part
            return merge(file, bases, *args, **kwargs)
        is_merging = True
        try:
            for place, part, key in list(_covered_references(file, bases)):
                name = _REFERENCE.fullmatch(part[key])[1]  # type: ignore[index]
                root = name.partition('.')[0]
                ours, theirs = (copy.deepcopy({root: cfg[root]}) if root in cfg else {} for cfg in (file, bases))
                dict.__setitem__(part, key, _look_up(merge(ours, theirs), name, place))
            return merge(file, bases, *args, **kwargs)
        finally:
            is_merging = False

    return expand_and_merge


def _covered_references(file: Any, bases: Any, where: str = '') -> Iterator[tuple[str, dict[str, Any], str]]:
    """The references of the bases over which a file lays a dict: their place, the part that has them, and its key."""
    if not (isinstance(file, dict) and isinstance(bases, dict)) or dict.get(file, '_delete_'):
        return
    for key, value in dict.items(file):
        below, place = dict.get(bases, key), f'{where}.{key}'.lstrip('.')
        covered = isinstance(value, dict) and not dict.get(value, '_delete_')
        if covered and isinstance(below, str) and _REFERENCE.fullmatch(below):
            yield place, bases, key
        yield from _covered_references(value, below, place)


def resolve(cfg: dict[str, Any]) -> None:
    """Fill in every reference of a whole config, in place.

    Raises:
        ConfigError: If a reference names nothing of the config, or itself, or cannot be divided or joined.
    """
    for key, value in dict.items(cfg):  # not cfg.items(), which imports what a lazy config names
        dict.__setitem__(cfg, key, _resolved(value, cfg, key, ()))


def _resolved(value: Any, cfg: dict[str, Any], where: str, chain: tuple[str, ...]) -> Any:
    """A value without references: itself if it had none.

    Args:
        value: The value, or a part of one.
        cfg: The whole config.
        where: The dotted key, for messages.
        chain: The variables on the way, for a reference that comes back to itself.
    """
    if isinstance(value, dict):
        for key, item in dict.items(value):
            dict.__setitem__(value, key, _resolved(item, cfg, f'{where}.{key}', chain))
    elif type(value) in (list, tuple):
        items = [_resolved(item, cfg, f'{where}.{number}', chain) for number, item in enumerate(value)]
        return type(value)(items) if any(a is not b for a, b in zip(items, value, strict=True)) else value
    elif isinstance(value, str) and (match := _REFERENCE.fullmatch(value)):
        name, divisor, rest = match.groups()
        if name in chain:
            raise ConfigError(f'{where}: ${{{name}}} refers to itself')
        found = copy.deepcopy(_look_up(cfg, name, where))
        found = _resolved(found, cfg, where, (*chain, name))
        if divisor:
            found = _divided(found, int(divisor), f'{where}: {name}')
        return _joined(found, rest, f'{where}: ${{{name}}}') if rest else found
    return value


def _look_up(cfg: dict[str, Any], dotted: str, where: str) -> Any:
    """What a variable's name stands for.

    Raises:
        ConfigError: If for nothing.
    """
    node: Any = cfg
    for name in dotted.split('.'):
        found, inner = _step(node, name)
        if not found:
            close = get_close_matches(name, map(str, node), n=1) if isinstance(node, dict) else []
            raise ConfigError(
                f'{where}: ${{{dotted}}} is no variable of this config'
                + (f'; did you mean {close[0]}?' if close else '')
            )
        node = inner
    return node


def _step(node: Any, name: str) -> tuple[bool, Any]:
    """Whether a part has this key or number, and what is there."""
    if isinstance(node, dict) and name in node:
        return True, dict.__getitem__(node, name)
    if isinstance(node, (list, tuple)) and name.isdigit() and int(name) < len(node):
        return True, node[int(name)]
    return False, None


def _divided(value: Any, divisor: int, where: str) -> Any:
    """A whole number, or a list or tuple of them, divided.

    Raises:
        ConfigError: If it is something else or leaves a remainder.
    """
    numbers = value if isinstance(value, (list, tuple)) else [value]
    if not all(isinstance(number, int) and number % divisor == 0 for number in numbers):
        raise ConfigError(f'{where} must be made of multiples of {divisor}, is {value!r}')
    return type(value)(number // divisor for number in numbers) if numbers is value else value // divisor


def _joined(folder: Any, rest: str, where: str) -> str:
    """A path below a folder.

    Raises:
        ConfigError: If the variable is no text.
    """
    if not isinstance(folder, str):
        raise ConfigError(f'{where} is the folder before {rest!r}, but is {folder!r}')
    return os.path.join(folder, rest)
