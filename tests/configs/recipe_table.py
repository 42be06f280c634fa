"""The recipes of every config: the values that decide what it learns and how it is judged, each with its source.

``recipes/rows.yml`` names each config's parts; the other files hold the parts. A part is a list of values with their
source; a later part lies over an earlier one. A dotted key is short for nested ones, ``_replace_: true`` drops what
earlier parts have at that place, and ``=some.key`` stands for what the finished recipe has there.
"""

from pathlib import Path
from typing import Any, NamedTuple

import yaml

FOLDER = Path(__file__).with_name('recipes')


class Pinned(NamedTuple):
    """A value and where it comes from."""

    value: Any
    source: str


def rows() -> dict[str, dict[str, Any]]:
    """Each config's row, by its path below ``configs`` without the suffix."""
    return yaml.safe_load((FOLDER / 'rows.yml').read_text())


def parts() -> dict[str, list[dict[str, Any]]]:
    """Every part by its name, from all files but the rows."""
    found: dict[str, list[dict[str, Any]]] = {}
    for file in sorted(FOLDER.glob('*.yml')):
        if file.name != 'rows.yml':
            content = yaml.safe_load(file.read_text())
            assert not found.keys() & content.keys(), f'{file.name} names a part of another file again'
            found.update(content)
    return found


def recipe(row: dict[str, Any], known: dict[str, list[dict[str, Any]]]) -> dict[str, Pinned]:
    """A row's values by their full keys: ``model.neck.depth``, ``param_scheduler[1].gamma``."""
    tree: dict[str, Any] = {}
    for name in row['parts']:
        for block in known[name]:
            _lay_over(tree, block['values'], block['source'])
    if 'own' in row:
        _lay_over(tree, row['own'], row['source'])
    return dict(_flat(tree, tree, '', None))


def _lay_over(tree: dict[str, Any], values: dict[str, Any], source: str) -> None:
    """Merge nested values into a tree whose leaves are :class:`Pinned`."""
    for key, value in values.items():
        if key == '_replace_':
            continue
        first, _, rest = str(key).partition('.')
        if rest:
            value = {rest: value}
        if not isinstance(value, dict):
            tree[first] = Pinned(value, source)
            continue
        if not isinstance(tree.get(first), dict) or value.get('_replace_'):
            tree[first] = {}
        _lay_over(tree[first], value, source)


def _flat(value: Any, tree: dict[str, Any], key: str, source: str | None) -> Any:
    """Pairs of full key and pinned value; ``=key`` is replaced by what the tree has there."""
    if isinstance(value, Pinned):
        value, source = value
    if isinstance(value, str) and value.startswith('='):
        target: Any = tree
        for name in value[1:].split('.'):
            target = target[name]
        yield from _flat(target, tree, key, source)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _flat(item, tree, f'{key}.{name}' if key else str(name), source)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for number, item in enumerate(value):
            yield from _flat(item, tree, f'{key}[{number}]', source)
    else:
        yield key, Pinned(value, source or '')
