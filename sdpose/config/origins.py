"""Where each key of a config comes from: the file that gave it its value last, or an option."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple

from mmengine.config import Config

from sdpose.compat.config_files import evaluating
from sdpose.errors import ConfigError, one_line

from .find import config_dir, find_config
from .load import load_config

OPTION = '--cfg-options'


class Origin(NamedTuple):
    """One key.

    Attributes:
        key: Dotted; items of lists by their numbers.
        value: Its value when everything has been merged and filled in.
        source: The file, as seen from the folder of the configs, or ``--cfg-options``.
        reference: What the file has in its place, such as ``'${codec.input_size}'``; empty for a value of its own.
    """

    key: str
    value: Any
    source: str
    reference: str = ''


def key_origins(path: str | Path, options: Mapping[str, Any] | None = None) -> list[Origin]:
    """Every key of a config that holds no further keys, in the config's order.

    A key that a file fills by a reference, or by a copy of a variable, comes from the file that says so.

    Args:
        path: A config file, or the name of one of the package's configs.
        options: Overrides by dotted keys.

    Raises:
        ConfigError: As :func:`load_config`.
    """
    cfg = load_config(path, dict(options or {}))
    file = find_config(path)
    files = _own_values(file)
    return [_origin(keys, value, files, options or {}, file) for keys, value in _leaves(cfg.to_dict())]


def _own_values(file: Path) -> list[tuple[str, dict[str, Any]]]:
    """What each file of a config gives by itself, by its path, bases before what inherits them."""
    found: list[tuple[str, dict[str, Any]]] = []

    def run(code: CodeType, names: dict[str, Any], chain: list[str]) -> None:
        before = set(names)
        exec(code, names)  # a config's file, which MMEngine runs in the same way
        found.append((chain[-1], {key: names[key] for key in names if key not in before and key[:2] != '__'}))

    try:
        with evaluating(run, lambda content: content):
            Config.fromfile(file)
    except Exception as error:  # it was read well a moment ago
        raise ConfigError(f'config {file} cannot be read again: {one_line(error)}') from error
    return found


def _leaves(part: Any, keys: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The values that hold no further parts; a list of numbers or words is one value."""
    if isinstance(part, Mapping) and part:
        for key, value in part.items():
            yield from _leaves(value, (*keys, str(key)))
    elif isinstance(part, (list, tuple)) and any(isinstance(item, (Mapping, list, tuple)) for item in part):
        for number, item in enumerate(part):
            yield from _leaves(item, (*keys, str(number)))
    else:
        yield keys, part


def _origin(
    keys: tuple[str, ...], value: Any, files: list[tuple[str, dict[str, Any]]], options: Mapping[str, Any], file: Path
) -> Origin:
    """The last file that names the key itself; for one that nobody names, the last that names what holds it."""
    dotted = '.'.join(keys)
    if any(dotted == option or dotted.startswith(f'{option}.') for option in options):
        return Origin(dotted, value, OPTION)
    for length in range(len(keys), 0, -1):
        for path, own in reversed(files):
            given, there = _find(own, keys[:length])
            if there:
                reference = given if isinstance(given, str) and '${' in given else ''
                return Origin(dotted, value, _shown(path), reference)
    return Origin(dotted, value, _shown(str(file)))


def _find(part: Any, keys: tuple[str, ...]) -> tuple[Any, bool]:
    """The value below a part, and whether there is one."""
    for key in keys:
        if isinstance(part, Mapping) and key in part:
            part = dict.__getitem__(part, key) if isinstance(part, dict) else part[key]
        elif isinstance(part, (list, tuple)) and key.isdigit() and int(key) < len(part):
            part = part[int(key)]
        else:
            return None, False
    return part, True


def _shown(path: str) -> str:
    """A file as a user names it."""
    for folder in (config_dir().parent, Path.cwd()):
        if Path(path).is_relative_to(folder):
            return str(Path(path).relative_to(folder))
    return path
