"""Building what a config names, with a refused value reported as what it is: the config's, or the data's."""

import os
import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import torch
from mmengine.dataset import BaseDataset
from mmengine.evaluator import BaseMetric
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from torch import nn

from sdpose.errors import NO_ROOM, ConfigError, DataError, UserError

from .built_part import built_part, unregistered

# A TypeError that a config causes: a part that is not written to the end, an argument nobody takes, or that is missing,
# or text where an optimizer, or the seed, wants a number.
_REFUSED_ARGUMENT = (
    "Can't instantiate abstract class|"
    'unexpected keyword argument|missing .* required .* argument|'
    "not supported between instances of '(float|int|str)' and '(float|int|str|NoneType)'|"
    'None is not a callable object|Cannot cast scalar from'
)
_HINT = ' (raised while building the parts of the config; SDPOSE_TRACEBACK=1 shows where)'
_WHERE = 'SDPOSE_TRACEBACK=1 shows where'
# What a data set's class reads its files in.
_READING = ('full_init', 'load_data_list', '_load_annotations', '_load_detection_results', 'parse_data_info')
_FOREIGN = re.compile(r'[\\/](site|dist)-packages[\\/]|' + re.escape(os.path.dirname(os.__file__)))
_CHECKING_PACKAGES = ('mmengine', 'mmpose', 'mmcv')
_OUR_PACKAGE = f'{os.sep}sdpose{os.sep}'


@contextmanager
def building(part: str = '') -> Iterator[None]:
    """Report a value that a constructor refused as a mistake in the config, and a file that it cannot read as such.

    Where an exception arose decides. In what reads a data set's or a metric's file, the file is at fault, whatever the
    exception. Elsewhere constructors check what they are given and raise ``ValueError``, those of other packages
    ``AssertionError`` too; MMEngine raises ``KeyError`` for a part that is not registered, ``ImportError`` for a module
    named in ``custom_imports``, and a ``TypeError`` of this kind where a class outside this project and MMPose refuses
    an argument. The message says how to see where it arose.

    Args:
        part: The key of what is built, if it is one part; the message begins with it, or with that of the part below it
            that was being built.

    Raises:
        DataError: With the file that cannot be read.
        ConfigError: With the constructor's message.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in NO_ROOM:  # nothing is wrong with the file
            raise
        place = built_part(error.__traceback__) or part
        names_it = re.match(rf'{re.escape(place)}[ .:]', str(error))
        start = f'{place}: ' if place and not names_it else ''
        fault = _file_fault(error) or _config_fault(error, start)
        if fault is None:
            raise
        raise fault from error


@contextmanager
def building_late() -> Iterator[None]:
    """As :func:`building`, around a whole training: only what fails while it builds a part, or in a library's hook.

    Raises:
        ConfigError: With the constructor's message.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        fault = _config_fault(error, '') if _is_built(_steps(error.__traceback__)) else _hook_fault(error)
        if fault is None:
            raise
        raise fault from error


def _file_fault(error: Exception) -> UserError | None:
    """What to say of a file that cannot be read; None if the exception is not about one."""
    said = _one_line(error)
    for frame in (step.tb_frame for step in _steps(error.__traceback__)):
        owner, ann_file = frame.f_locals.get('self'), frame.f_locals.get('ann_file')
        if isinstance(owner, BaseDataset) and frame.f_code.co_name in _READING:
            file = owner.ann_file or getattr(owner, 'data_root', None) or 'its data'
            return DataError(f'{file} cannot be read by {type(owner).__name__}: {said} ({_WHERE})')
        is_reading = isinstance(error, (OSError, ValueError, LookupError)) and not _raised_in(error, frame.f_code)
        if isinstance(owner, BaseMetric) and isinstance(ann_file, str) and is_reading:
            return DataError(f'{ann_file} cannot be read by {type(owner).__name__}: {said} ({_WHERE})')
    if isinstance(error, OSError) and error.filename:
        return UserError(f'{error.filename}: {error.strerror} ({_WHERE})')
    return None


def _config_fault(error: Exception, start: str) -> ConfigError | None:
    """What to say of a value in the config; None for a defect."""
    said = _one_line(error)
    if isinstance(error, KeyError) and 'registry' in said:
        said = str(error.args[0]).partition(' Please check')[0].rstrip('.')
        return ConfigError(f'{start}{said}{unregistered(error.__traceback__)}')
    if re.search('EADDRINUSE|address already in use', said, re.IGNORECASE):
        address, port = (os.environ.get(f'MASTER_{name}', '?') for name in ('ADDR', 'PORT'))
        return ConfigError(f'port {port} of {address} is in use: set MASTER_PORT (PORT for tools/dist_*.sh) to another')
    refused = isinstance(error, (ValueError, ImportError)) or (
        isinstance(error, TypeError) and re.search(_REFUSED_ARGUMENT, str(error))
    )
    steps = traceback.extract_tb(error.__traceback__)
    if isinstance(error, AssertionError):
        refused = bool(steps) and _OUR_PACKAGE not in steps[-1].filename
        said = said if str(error) else f'{steps[-1].line or "an assertion"} does not hold'
    if not refused and not _is_on_purpose(steps) and steps and _FOREIGN.search(steps[-1].filename):
        refused = _is_built(_steps(error.__traceback__))
        said = f'{type(error).__name__}: {said}'
    return ConfigError(f'{start}{said}{_HINT}') if refused or _is_on_purpose(steps) else None


def _hook_fault(error: Exception) -> ConfigError | None:
    """What to say of a hook of MMEngine's or MMPose's that fails at its values; None for anything else.

    A lost connection, a full disk, or memory that runs out may come up in a hook, too, and is not of its values.
    """
    lost = (
        isinstance(error, (OSError, MemoryError))
        or isinstance(error, RuntimeError)
        and (torch.distributed.is_initialized() or isinstance(error, torch.cuda.OutOfMemoryError))
    )
    steps = _steps(error.__traceback__)
    hooks = [each.tb_frame.f_locals.get('hook') for each in steps if each.tb_frame.f_code.co_name == 'call_hook']
    if lost or not hooks or type(hooks[-1]).__module__.partition('.')[0] not in _CHECKING_PACKAGES:
        return None
    if _OUR_PACKAGE in traceback.extract_tb(error.__traceback__)[-1].filename:
        return None
    return ConfigError(
        f'the hook {type(hooks[-1]).__name__} fails at the values that the config gives it: '
        f'{type(error).__name__}: {_one_line(error)} ({_WHERE})'
    )


def _is_built(steps: list[TracebackType]) -> bool:
    """Whether an exception arose while a registry was building a part of its config, or a run was taking a hook in."""
    return any(step.tb_frame.f_code.co_name in ('build_from_cfg', 'register_hook') for step in steps)


def _is_on_purpose(steps: traceback.StackSummary) -> bool:
    """Whether an exception is raised by a statement of MMEngine's or MMPose's own, as their checks are."""
    packages = [part for part in steps[-1].filename.split(os.sep) if part in _CHECKING_PACKAGES] if steps else []
    return bool(packages) and (steps[-1].line or '').startswith('raise ')


def _one_line(error: Exception) -> str:
    return ' '.join(str(error).split()) or type(error).__name__


def _raised_in(error: Exception, code: Any) -> bool:
    """Whether an exception is raised by a statement of a function itself, not by what it calls or looks up."""
    steps = _steps(error.__traceback__)
    if not steps or steps[-1].tb_frame.f_code is not code:
        return False
    return (traceback.extract_tb(error.__traceback__)[-1].line or '').startswith('raise ')


def _steps(step: TracebackType | None) -> list[TracebackType]:
    found = []
    while step is not None:
        found.append(step)
        step = step.tb_next
    return found


def build_model(model: dict[str, Any]) -> nn.Module:
    """A model of its config, with its initial weights.

    Raises:
        ConfigError: If a part refuses its values.
    """
    init_default_scope('mmpose')
    with building():
        return MODELS.build(model)
