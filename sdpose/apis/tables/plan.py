"""What a table of experiments consists of: rows of overrides, at one of several scales, read from a YAML file."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, Optional, get_type_hints

import yaml

from sdpose.datasets.synthetic.request import Request
from sdpose.errors import ConfigError

from ..argument_types import describe, fits

READS = ('first', 'last')
DEPTHS = ('deep', 'shallow')


@dataclass(frozen=True)
class Row:
    """One training.

    Attributes:
        name: What the report calls it.
        paper: The published value in per cent, if there is one.
        depth: One of ``DEPTHS``.
        overrides: Config keys and their values.
    """
    name: str
    paper: Optional[float] = None
    depth: str = 'deep'
    overrides: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """Rows that are compared.

    Attributes:
        title: Heading of the report.
        rows: The trainings.
        read: The cycle that counts, one of ``READS``.
        reference: Name of the row that the others are compared with.
    """
    title: str
    rows: tuple[Row, ...]
    read: str
    reference: str


@dataclass(frozen=True)
class DataSet:
    """Where a scale's data are.

    Attributes:
        root: Their folder.
        draw: Arguments of a synthetic set, if it is drawn; see ``sdpose.datasets.synthetic.request.Request``.
        overrides: Config keys that this data set needs.
    """
    root: str
    draw: Optional[dict[str, Any]] = None
    overrides: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Scale:
    """How large the trainings are.

    Attributes:
        config: The config that every row overrides.
        layers: Number of layers of each of ``DEPTHS``.
        data: Data sets by name; the first is the default.
        overrides: Config keys of every row.
        threads: Compute threads of one training; None leaves that to torch.
    """
    config: str
    layers: dict[str, int]
    data: dict[str, DataSet]
    overrides: dict[str, Any] = field(default_factory=dict)
    threads: Optional[int] = None


@dataclass(frozen=True)
class Plan:
    """A file of tables.

    Attributes:
        tables, scales: By name.
        metric: Name of the metric that is compared, a fraction.
    """
    tables: dict[str, Table]
    scales: dict[str, Scale]
    metric: str


def read_plan(path: Path) -> Plan:
    """Read and check a file of tables.

    Raises:
        ConfigError: If it is missing or no YAML, or a key is unknown, missing or has no sensible value.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding='utf-8'))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f'{path} cannot be read: {error}') from error
    raw = _checked(Plan, content, str(path))
    tables = {name: _table(value, f'{path}: tables.{name}') for name, value in raw['tables'].items()}
    scales = {name: _scale(value, f'{path}: scales.{name}') for name, value in raw['scales'].items()}
    return Plan(tables, scales, raw['metric'])


def _table(content: Any, where: str) -> Table:
    raw = _checked(Table, content, where)
    rows = tuple(Row(**_checked(Row, row, f'{where}.rows.{number}')) for number, row in enumerate(raw['rows']))
    names = [row.name for row in rows]
    _choose(raw['read'], READS, f'{where}.read')
    _choose(raw['reference'], names, f'{where}.reference')
    for number, row in enumerate(rows):
        _choose(row.depth, DEPTHS, f'{where}.rows.{number}.depth')
        if names.count(row.name) > 1:
            raise ConfigError(f'{where}: two rows are called {row.name!r}')
    return Table(**{**raw, 'rows': rows})


def _scale(content: Any, where: str) -> Scale:
    raw = _checked(Scale, content, where)
    data = {name: DataSet(**_checked(DataSet, value, f'{where}.data.{name}')) for name, value in raw['data'].items()}
    if not data:
        raise ConfigError(f'{where}.data names no data set')
    for name, data_set in data.items():
        for key in data_set.draw or ():
            _choose(key, [item.name for item in fields(Request)], f'{where}.data.{name}.draw: key')
    missing = set(DEPTHS).difference(raw['layers'])
    if missing:
        raise ConfigError(f'{where}.layers: {", ".join(sorted(missing))} is missing')
    for value in [*raw['layers'].values(), 1 if raw.get('threads') is None else raw['threads']]:
        if not fits(value, int) or value < 1:
            raise ConfigError(f'{where}: layers and threads must be whole numbers from 1, not {value!r}')
    return Scale(**{**raw, 'data': data})


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
        _choose(key, list(known), f'{where}: key')
    for name, item in known.items():
        if name not in content and item.default is MISSING and item.default_factory is MISSING:
            raise ConfigError(f'{where}: {name} is missing')
        if name in content and content[name] is None and item.default is not None:
            raise ConfigError(f'{where}: {name} is empty')
        if name in content and not fits(content[name], kinds[name]):
            raise ConfigError(f'{where}.{name} must be {describe(kinds[name])}, not {content[name]!r}')
    return dict(content)


def _choose(value: Any, known: Any, where: str) -> None:
    if value not in known:
        raise ConfigError(f'{where} {value!r} is unknown; choose one of {", ".join(map(str, known))}')
