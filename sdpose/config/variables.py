"""Variables of config files: what a config computes from them follows their last value.

MMEngine evaluates a base before the file that inherits it, and options come last of all. A value that a base has
computed from a variable would keep the old one, without a word. So the files are evaluated with the options in them: an
option replaces the value of its key wherever a file gives it one, at the moment it does.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import CodeType
from typing import Any, cast

from mmengine.config import Config

from sdpose.compat.config_files import evaluating
from sdpose.errors import ConfigError, first_few

_DELETE = '_delete_'
# What a run reads of a config; every other name is a variable of its files, or read by somebody's own parts.
RUN_KEYS = frozenset(
    'model work_dir train_dataloader val_dataloader test_dataloader train_cfg val_cfg test_cfg auto_scale_lr '
    'optim_wrapper param_scheduler val_evaluator test_evaluator default_hooks custom_hooks data_preprocessor load_from '
    'resume launcher env_cfg log_processor log_level visualizer default_scope randomness experiment_name'.split()
)
# Read of a config, but by nothing that its result depends on.
_READ_APART = frozenset(('custom_imports', 'data_hint'))


def read_config(file: str | Path, options: Mapping[str, Any] | None = None) -> Config:
    """Evaluate a config file and its bases.

    Args:
        file: The file.
        options: Values by dotted keys, which take the place of those that the files give.

    Raises:
        ConfigError: If a file cannot be read, or sets a variable too late for what its bases computed with it.
    """
    late: list[_Late] = []
    cfg = _evaluated(file, options or {}, late)
    for each in late if not options else ():
        each.require_harmless(cfg, file)
    return cfg


def replaced(value: Any, path: list[str], new: Any) -> Any:
    """A value in which the one below it that a path names is another; the value itself if it is so already.

    A dict is merged, as a config merges them. What the path does not reach stays as it is.
    """
    if not path:
        return _merged(value, new)
    key, *rest = path
    if isinstance(value, dict) and (key in value or not rest):
        inner = replaced(value.get(key), rest, new)
        if key in value and inner is value[key]:
            return value
        return _with_item(value, key, inner)
    if isinstance(value, (list, tuple)) and key.isdigit() and int(key) < len(value):
        inner = replaced(value[int(key)], rest, new)
        if inner is value[int(key)]:
            return value
        items = [*value[: int(key)], inner, *value[int(key) + 1 :]]
        return type(value)(items)
    return value


def _merged(value: Any, new: Any) -> Any:
    if isinstance(new, dict) and isinstance(value, dict) and not new.get(_DELETE):
        for key, item in new.items():
            value = replaced(value, [key], item)
        return value
    if isinstance(new, dict):
        new = {key: item for key, item in new.items() if key != _DELETE}
    return value if type(value) is type(new) and value == new else new


def _with_item(value: dict, key: str, item: Any) -> dict:
    changed = value.copy()
    changed[key] = item
    return changed


class _Names:
    """The names of a file while it is evaluated: each gets its option's value as soon as it gets one at all."""

    def __init__(self, values: dict[str, Any], options: Mapping[str, Any]) -> None:
        self.values = values
        self.options: dict[str, list[tuple[list[str], Any]]] = {}
        for dotted, new in options.items():
            name, *path = dotted.split('.')
            self.options.setdefault(name, []).append((path, new))
        self.unread: set[str] = set()

    def __setitem__(self, name: str, value: Any) -> None:
        self.unread.add(name)
        self.values[name] = self.fitted(name, value)

    def __getitem__(self, name: str) -> Any:
        self.unread.discard(name)
        value = self.values[name]
        self.values[name] = fitted = self.fitted(name, value)  # it may have been changed in place
        return fitted

    def __delitem__(self, name: str) -> None:
        del self.values[name]

    def fitted(self, name: str, value: Any) -> Any:
        """A name's value with the options in it."""
        for path, new in self.options.get(name, ()):
            value = replaced(value, path, new)
        return value

    def fit_all(self) -> None:
        """Take what has been changed in place, too, and is read by nothing in the file."""
        for name in self.options.keys() & self.values.keys():
            self.values[name] = self.fitted(name, self.values[name])


def _evaluated(file: str | Path, options: Mapping[str, Any], late: list['_Late'] | None = None) -> Config:

    def run(code: CodeType, values: dict[str, Any], chain: list[str]) -> None:
        names = _Names(values, options)
        exec(code, values, cast(dict, names))  # a config's file, which MMEngine runs in the same way
        names.fit_all()
        if late is not None:
            late.extend(_late_in(names, code, chain))

    def load(content: dict[str, Any]) -> dict[str, Any]:
        _Names(content, options).fit_all() if isinstance(content, dict) else None
        return content

    with evaluating(run, load):
        return Config.fromfile(file)


class _Late:
    """A variable that a file sets after its bases were evaluated with another value, and that nothing reads then."""

    def __init__(self, file: str, name: str, value: Any) -> None:
        self.file = file
        self.name = name
        self.value = value

    def require_harmless(self, cfg: Config, leaf: str | Path) -> None:
        """Refuse it if it would have changed something, had it been there in time.

        Args:
            cfg: The config as it is.
            leaf: Its file.

        Raises:
            ConfigError: Naming the keys that keep the old value.
        """
        if _merged(cfg.get(self.name), self.value) != cfg.get(self.name):  # a later file sets it again
            return
        try:
            meant = _evaluated(leaf, {self.name: self.value})
        except ConfigError:  # what the bases compute from it is not that simple
            return
        kept = [key for key in differences(cfg.to_dict(), meant.to_dict()) if key.partition('.')[0] in RUN_KEYS]
        if kept:
            raise ConfigError(
                f'config {self.file} sets {self.name}, but its bases are read before and have computed with another '
                f'value, which stays in {first_few(kept)}: set these keys too, or write {self.name} where the bases '
                f'have it (a copy of theirs), or give it as an option, which reaches all of them: '
                f'--cfg-options {_as_options(self.name, self.value)}'
            )


def _as_options(name: str, value: Any) -> str:
    if isinstance(value, dict) and value:
        return ' '.join(f'"{name}.{key}={item!r}"' for key, item in value.items() if key != _DELETE)
    return f'"{name}={value}"'


def _late_in(names: _Names, code: CodeType, chain: list[str]) -> Iterator[_Late]:
    """The variables of a file that are set too late, see :class:`_Late`."""
    base = names.values.get('_base_') or {}
    below = [name for each in code.co_consts if isinstance(each, CodeType) for name in _names_of(each)]
    texts = [Path(file).read_text(errors='replace') for file in chain[:-1]]
    for name in sorted(names.unread.intersection(base).difference(RUN_KEYS | _READ_APART, below)):
        value = names.values[name]
        is_new = _merged(base[name], value) != base[name]
        if is_new and not any(re.search(rf'\b_base_\W+{name}\b', text) for text in texts):
            yield _Late(code.co_filename, name, value)


def _names_of(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _names_of(each)


def differences(one: Any, other: Any, where: str = '') -> list[str]:
    """The dotted keys in which two configs differ, the deepest ones."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = [*one, *(key for key in other if key not in one)]
        absent = object()
        pairs = [(key, one.get(key, absent), other.get(key, absent)) for key in keys]
    elif isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)) and _are_alike(one, other):
        pairs = [(str(number), *pair) for number, pair in enumerate(zip(one, other))]
    else:
        same = one is other or (type(one) is type(other) and one == other)
        return [] if same else [where]
    return [
        found
        for key, ours, theirs in pairs
        for found in differences(ours, theirs, f'{where}.{key}' if where else str(key))
    ]


def _are_alike(one: Sequence[Any], other: Sequence[Any]) -> bool:
    """Whether two lists are as long, and hold parts and not only numbers or words, which are one value together."""
    return len(one) == len(other) and any(isinstance(item, (dict, list, tuple)) for item in one)
