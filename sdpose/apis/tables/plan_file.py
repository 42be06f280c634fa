"""Reading and checking the YAML file of tables."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, get_type_hints

import yaml

from sdpose.config.argument_types import describe, fits
from sdpose.errors import ConfigError, one_line
from sdpose.synthetic.request import Request
from sdpose.synthetic.shapes.generate import ShapesRequest

from .known_data import FACTS
from .plan import DEPTHS, READS, DataSet, Plan, Row, Scale, Table


def read_plan(path: Path) -> Plan:
    """Read and check a file of tables.

    Raises:
        ConfigError: If it is missing or no YAML, or a key is unknown, missing or has no sensible value.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding='utf-8'))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f'{path} cannot be read: {one_line(error)}') from error
    raw = _checked(Plan, content, str(path))
    scales = {name: _scale(value, f'{path}: scales.{name}') for name, value in raw['scales'].items()}
    tables = {name: _table(value, scales, f'{path}: tables.{name}') for name, value in raw['tables'].items()}
    return Plan(tables, scales, raw['metric'])


def _table(content: Any, scales: dict[str, Scale], where: str) -> Table:
    raw = _checked(Table, content, where)
    rows = tuple(_row(row, scales, f'{where}.rows.{number}') for number, row in enumerate(raw['rows']))
    _require_one_of(raw['read'], READS, f'{where}.read')
    if raw.get('reference') is not None:
        _require_one_of(raw['reference'], [row.name for row in rows], f'{where}.reference')
    slugs = [row.slug for row in rows]
    for row in rows:
        if slugs.count(row.slug) > 1:
            raise ConfigError(f'{where}: two rows are called {row.name!r}')
    for scale, data in raw.get('data', {}).items():
        _require_one_of(scale, scales, f'{where}.data: scale')
        _require_one_of(data, scales[scale].data, f'{where}.data.{scale}')
    for scale in raw.get('unscored', ()):
        _require_one_of(scale, scales, f'{where}.unscored: scale')
    return Table(**{**raw, 'rows': rows})


def _row(content: Any, scales: dict[str, Scale], where: str) -> Row:
    row = Row(**_checked(Row, content, where))
    _require_one_of(row.depth, DEPTHS, f'{where}.depth')
    if row.read is not None:
        _require_one_of(row.read, READS, f'{where}.read')
    for scale in (*row.configs, *row.teachers, *row.changes):
        _require_one_of(scale, scales, f'{where}: scale')
    if row.quoted and (row.configs or row.overrides):
        raise ConfigError(f'{where} is quoted, so it has neither configs nor overrides')
    for column, value in row.figures.items():
        if not fits(value, float):
            raise ConfigError(f'{where}.figures.{column} must be a number, not {value!r}')
    return row


def _scale(content: Any, where: str) -> Scale:
    raw = _checked(Scale, content, where)
    data = {name: _data_set(value, f'{where}.data.{name}') for name, value in raw['data'].items()}
    if not data:
        raise ConfigError(f'{where}.data names no data set')
    missing = set(DEPTHS).difference(raw['layers'])
    if missing:
        raise ConfigError(f'{where}.layers: {", ".join(sorted(missing))} is missing')
    for value in [*raw['layers'].values(), 1 if raw.get('threads') is None else raw['threads']]:
        if not fits(value, int) or value < 1:
            raise ConfigError(f'{where}: layers and threads must be whole numbers from 1, not {value!r}')
    return Scale(**{**raw, 'data': data})


def _data_set(content: Any, where: str) -> DataSet:
    data_set = DataSet(**_checked(DataSet, content, where))
    for name, kind in (('draw', Request), ('shapes', ShapesRequest)):
        for key in getattr(data_set, name) or ():
            _require_one_of(key, [item.name for item in fields(kind)], f'{where}.{name}: key')
    for name, facts in data_set.known.items():
        for key in facts:
            _require_one_of(key, FACTS, f'{where}.known.{name}: key')
    return data_set


def _checked(kind: type, content: Any, where: str) -> dict[str, Any]:
    """The content of one mapping, whose keys are exactly the fields of a class.

    Raises:
        ConfigError: If it is no mapping, a key is unknown, one without a default is missing, or a value is of another
            type.
    """
    if not isinstance(content, Mapping):
        raise ConfigError(f'{where} must be a mapping, not {content!r}')
    known, kinds = {item.name: item for item in fields(kind)}, get_type_hints(kind)
    for key in content:
        _require_one_of(key, list(known), f'{where}: key')
    for name, item in known.items():
        if name not in content and item.default is MISSING and item.default_factory is MISSING:
            raise ConfigError(f'{where}: {name} is missing')
        if name in content and content[name] is None and item.default is not None:
            raise ConfigError(f'{where}: {name} is empty')
        if name in content and not fits(content[name], kinds[name]):
            raise ConfigError(f'{where}.{name} must be {describe(kinds[name])}, not {content[name]!r}')
    return dict(content)


def _require_one_of(value: Any, known: Any, where: str) -> None:
    if value not in known:
        raise ConfigError(f'{where} {value!r} is unknown; choose one of {", ".join(map(str, known))}')
