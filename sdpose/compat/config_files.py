"""Config files that cannot be read are said by name, in one line."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from types import CodeType
from typing import Any, NoReturn

import mmengine.config.config as mmengine_config
from mmengine.config import Config

from sdpose.errors import ConfigError, Stopped, UserError

_MARK = '_sdpose_compat'
# What MMEngine says of a config's own imports, before a list of every folder that Python looks in.
_CUSTOM_IMPORTS = 'ImportError: Failed to import custom modules from '
# The files that are being read: a config and, behind it, the chain of its bases down to the innermost.
_reading: list[str] = []
# The outermost of them, as the user names it.
_named: list[str] = []


def name_config_files() -> None:
    """Name the file, and the line if it is known, of a config or base that cannot be read.

    Seen: MMEngine 0.10.7 lets any exception out as it arose in a base, with the name of a temporary file or none, goes
    round in circles with a base of itself until Python's stack ends, and does not know the byte order mark that
    editors on Windows write.
    """
    if hasattr(Config, _MARK):
        return
    mmengine_config.open = _open
    for name, is_reader in (('_is_lazy_import', False), ('_file2dict', True), ('_parse_lazy_import', True)):
        setattr(Config, name, staticmethod(_naming(getattr(Config, name), is_reader)))
    Config._get_cfg_path = staticmethod(_checking_base(Config._get_cfg_path))
    setattr(Config, _MARK, True)


@contextmanager
def evaluating(run: Callable[[CodeType, dict, list[str]], None], load: Callable[[dict], dict]) -> Iterator[None]:
    """Let config files be evaluated in another way.

    Args:
        run: Called in place of ``exec`` with a file's code, its names, and the chain of files that leads to it.
        load: Called with the content of a YAML or JSON file; returns what stands for it.
    """
    original = mmengine_config.load

    def execute(code: Any, names: dict | None = None, *rest: Any) -> Any:
        if names is None:  # an expression, such as a list of bases
            return eval(code)  # of a config's file, which MMEngine runs as it is
        return run(code, names, list(_reading))

    mmengine_config.eval = mmengine_config.exec = execute
    mmengine_config.load = lambda *args, **kwargs: load(original(*args, **kwargs))
    try:
        yield
    finally:
        del mmengine_config.eval, mmengine_config.exec
        mmengine_config.load = original


def _open(file: Any, mode: str = 'r', *args: Any, **kwargs: Any) -> Any:
    """``open``, for reading text with or without a byte order mark."""
    if mode == 'r' and kwargs.get('encoding') == 'utf-8':
        kwargs['encoding'] = 'utf-8-sig'
    return open(file, mode, *args, **kwargs)


def _naming(read: Callable, is_reader: bool) -> Callable:
    """A reader of a file whose failure names it."""

    @wraps(read)
    def read_named(filename: str, *args: Any, **kwargs: Any) -> Any:
        file = os.path.abspath(os.path.expanduser(filename))
        if is_reader and file in _reading:
            raise ConfigError(f'config {_shown(_reading[-1])} cannot be read: its _base_ leads back to {file}')
        if is_reader and _reading and not os.path.isfile(file):
            raise ConfigError(f'config {_shown(_reading[-1])} cannot be read: its _base_ {file} is no file')
        if not _reading:
            _named[:] = [filename]
        _reading.append(file)
        try:
            return read(filename, *args, **kwargs)
        except (UserError, Stopped):
            raise
        except (Exception, SystemExit) as error:
            _refuse(error, file)
        finally:
            _reading.pop()

    return read_named


def _shown(file: str) -> str:
    return _named[0] if file == _reading[0] else file


def _refuse(error: BaseException, file: str) -> NoReturn:
    """Say which file, and which line of it, an exception is about."""
    line = _line_of(error, file)
    places = [f'line {line}'] if line else []
    if len(set(_reading)) > 1:
        places.append(f'a base of {_named[0]}')
    where = f' ({", ".join(places)})' if places else ''
    raise ConfigError(f'config {_shown(file)} cannot be read: {reason(error)}{where}') from error


def reason(error: BaseException) -> str:
    """What an exception says, in one line."""
    if isinstance(error, UnicodeDecodeError) or 'null bytes' in str(error):
        return 'it is no text in UTF-8: save it in that encoding (UTF-16, which some editors write, is not read)'
    if isinstance(error, SystemExit):
        return 'it ends Python (sys.exit): a config only sets names'
    if isinstance(error, SyntaxError):
        error = _syntax_error(error)
        return f'SyntaxError: {error.msg}'
    lines = str(error).strip().splitlines()
    said = f'{type(error).__name__}: {lines[0]}' if lines else type(error).__name__
    cause = error.__cause__ or error.__context__
    if cause and said.startswith(_CUSTOM_IMPORTS):
        return f'custom_imports: {reason(cause)}'
    if isinstance(error, ModuleNotFoundError):
        said = (
            f'{said}; Python looks in its own folders and in those that PYTHONPATH names: PYTHONPATH=FOLDER python ...'
        )
    return f'{said.rstrip(": ")} ({reason(cause)})' if isinstance(error, ImportError) and cause else said


def _syntax_error(error: SyntaxError) -> SyntaxError:
    """The one that knows its line: MMEngine wraps Python's."""
    inner = error.__context__
    return inner if error.lineno is None and isinstance(inner, SyntaxError) else error


def _line_of(error: BaseException, file: str) -> int | None:
    if isinstance(error, SyntaxError):
        return _syntax_error(error).lineno
    lines, step = [], error.__traceback__
    while step is not None:
        if os.path.abspath(step.tb_frame.f_code.co_filename) == file:
            lines.append(step.tb_lineno)
        step = step.tb_next
    return lines[-1] if lines else None


def _checking_base(find: Callable) -> Callable:

    @wraps(find)
    def find_checked(cfg_path: Any, filename: str) -> Any:
        if not isinstance(cfg_path, (str, Path)):
            raise ConfigError(
                f'config {_shown(filename)} cannot be read: _base_ is a path or a list of paths, not {cfg_path!r}'
            )
        return find(str(cfg_path), filename)

    return find_checked
