"""Which part of a config was being built when an exception arose, read from the frames of MMEngine's builder."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from types import FrameType, TracebackType
from typing import Any

from mmengine.registry import Registry
from mmengine.registry.build_functions import build_from_cfg
from mmengine.runner import Runner


def built_part(trace: TracebackType | None) -> str:
    """The dotted key of the innermost part that was being built, as far as it is known; ``''`` if there was none."""
    root: Any = None
    place: list[str] = []
    for frame in frames(trace):
        owner = frame.f_locals.get('self')
        if root is None and isinstance(owner, Runner) and 'cfg' in vars(owner):
            root = owner.cfg.to_dict()
        if frame.f_code is build_from_cfg.__code__:
            part = frame.f_locals['cfg']
            if root is None:  # nobody but a run builds anything else of a whole config
                root = dict(model=part) if frame.f_locals['registry'].name == 'model' else {}
            found = _find(_at(root, place), part) if isinstance(part, Mapping) else None
            place += found or []
    return '.'.join(place)


def unregistered(trace: TracebackType | None) -> str:
    """What helps where a type is not registered: the closest name, and where parts of one's own come from."""
    building = [each for each in frames(trace) if each.f_code is build_from_cfg.__code__]
    if not building:
        return ''
    frame = building[-1]
    registry: Registry | None = frame.f_locals['registry']
    names: set[str] = set()
    while registry is not None:
        names |= registry.module_dict.keys()
        registry = registry.parent
    close = get_close_matches(str(frame.f_locals['cfg'].get('type')), names, n=1)
    return (f'; did you mean {close[0]}?' if close else '') + (
        ' (A part of your own is registered when its package is imported: custom_imports of the config)'
    )


def frames(trace: TracebackType | None) -> Iterator[FrameType]:
    """The frames of a traceback, the outermost first."""
    while trace is not None:
        yield trace.tb_frame
        trace = trace.tb_next


def _at(node: Any, place: list[str]) -> Any:
    for key in place:
        node = node[int(key)] if isinstance(node, (list, tuple)) else node[key]
    return node


def _find(node: Any, part: Mapping[str, Any]) -> list[str] | None:
    """The way from a node to a part below it; None if several may be meant.

    A part may be built from a changed copy: then it is the one that has all of its values, or the only one of its type.
    """
    alike = [(way, below) for way, below in _parts(node) if below.get('type') == part.get('type')]
    equal = [way for way, below in alike if below == part]
    holding = [way for way, below in alike if all(below.get(key) == value for key, value in part.items())]
    only = [way for way, _ in alike] if len(alike) == 1 else []
    return next((ways[0] for ways in (equal, holding, only) if ways), None)


def _parts(node: Any, way: tuple[str, ...] = ()) -> Iterator[tuple[list[str], dict[str, Any]]]:
    """Every dict below a node, with the way to it."""
    if isinstance(node, dict):
        if way:
            yield [*way], node
        items: Any = node.items()
    else:
        items = enumerate(node) if isinstance(node, (list, tuple)) else ()
    for key, value in items:
        yield from _parts(value, (*way, str(key)))
