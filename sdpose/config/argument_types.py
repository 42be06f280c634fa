"""Whether a config's values are of the types that a constructor's annotations name."""

import collections.abc
import inspect
import types
import typing
from contextlib import suppress
from typing import Any, Union

_WORDS = {
    int: 'a whole number',
    float: 'a number',
    bool: 'True or False',
    str: 'text',
    dict: 'a dict',
    list: 'a list',
    type(None): 'None',
}


def named_arguments(part: type) -> tuple[set[str], bool]:
    """The names a constructor takes, through the bases it passes keywords on to, and whether it takes any other."""
    known: set[str] = set()
    for cls in part.__mro__:
        if '__init__' not in vars(cls):
            continue
        parameters = inspect.signature(vars(cls)['__init__']).parameters.values()
        known |= {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)} - {'self'}
        if all(p.kind is not p.VAR_KEYWORD for p in parameters):
            return known, False
    return known, True


def annotated_types(part: type) -> dict[str, Any]:
    """The annotations of a constructor's arguments, through the bases that keywords are passed on to.

    Only the class's own package and this one are read: the annotations of MMPose and what is below it were not written
    to be held to, and one that names what is not there says nothing.
    """
    found: dict[str, Any] = {}
    held = {part.__module__.partition('.')[0], 'sdpose'} - {'mmpose', 'mmengine'}
    for cls in part.__mro__:
        if '__init__' not in vars(cls):
            continue
        if cls.__module__.partition('.')[0] in held:
            with suppress(NameError):
                found = {**typing.get_type_hints(vars(cls)['__init__']), **found}
        if all(p.kind is not p.VAR_KEYWORD for p in inspect.signature(vars(cls)['__init__']).parameters.values()):
            break
    return found


def fits(value: Any, kind: Any) -> bool:
    """Whether a value is of an annotated type; one that says nothing about configs fits everything.

    A whole number is a number, but ``True`` is neither; a list is a tuple and the reverse, as the command line writes
    both.
    """
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (Union, types.UnionType):
        return any(fits(value, each) for each in inner)
    if kind in (int, float):
        return isinstance(value, (int, kind)) and not isinstance(value, bool)
    if kind in _WORDS:
        return isinstance(value, kind)
    if origin is tuple and Ellipsis not in inner:
        return isinstance(value, (list, tuple)) and len(value) == len(inner) and all(map(fits, value, inner))
    if origin in (tuple, list, collections.abc.Sequence):
        return isinstance(value, (list, tuple)) and all(fits(each, inner[0]) for each in value)
    return isinstance(value, dict) if origin is dict else True


def describe(kind: Any) -> str:
    """An annotated type in words."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (Union, types.UnionType):
        return ' or '.join(map(describe, inner))
    if origin is tuple and Ellipsis not in inner:
        return f'({", ".join(map(describe, inner))})'
    if origin in (tuple, list, collections.abc.Sequence):
        return f'a list ({describe(inner[0])} each)'
    return _WORDS.get(origin or kind, getattr(kind, '__name__', str(kind)))
