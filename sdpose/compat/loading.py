"""Checkpoints hold weights and plain numbers; loading one never runs code that it carries."""

import errno
import pickle
import re
from collections import Counter
from collections.abc import Callable
from functools import partial, wraps
from types import ModuleType
from typing import Any
from urllib.error import URLError

import mmengine.runner.checkpoint as mmengine_checkpoint
import numpy as np
import torch
from mmengine.logging.history_buffer import HistoryBuffer

from ..errors import UserError

# Element types of the arrays and scalars that MMEngine and MMPose store: losses and metrics, counts, key
# point weights, colours, flags.
_ELEMENT_TYPES = ('float64', 'float32', 'int64', 'int32', 'uint8', 'bool')
_STATISTICS = ('min', 'max', 'current', 'mean')
_MARK = '_sdpose_compat'


class CheckpointError(UserError):
    """A checkpoint that is broken or carries something else than weights; the message names the file."""


def allow_checkpoint_types() -> None:
    """Tell torch's restricted unpickler about the types of MMEngine's checkpoints, and no other.

    Seen: with torch >= 2.6, which loads weights only, resuming raises ``UnpicklingError: Unsupported
    global``. MMEngine 0.10.7 stores its log history (a ``HistoryBuffer`` of NumPy arrays, each with four of
    its own methods, which pickle writes as calls of ``getattr``) and NumPy scalars as scores. None of the
    allowed types can run code: they rebuild arrays and scalars of plain elements, and ``getattr`` reaches
    those four methods only.
    """
    if not hasattr(HistoryBuffer, _MARK):
        torch.serialization.add_safe_globals(_allowed_types())
        HistoryBuffer.__getstate__ = _state_without_methods
        setattr(HistoryBuffer, _MARK, True)


def _allowed_types() -> list[Any]:
    """The types, and functions under the names that pickle wrote (NumPy 1 and 2, Python 2 and 3)."""
    reconstruct = np.zeros(1).__reduce__()[0]
    scalar = np.float64(0).__reduce__()[0]
    allowed = [
        HistoryBuffer,
        Counter,
        np.ndarray,
        np.dtype,
        *(type(np.dtype(name)) for name in _ELEMENT_TYPES),
    ]
    for package in ('numpy.core', 'numpy._core'):
        allowed.append(_named(reconstruct, f'{package}.multiarray', '_reconstruct'))
        allowed.append(_named(scalar, f'{package}.multiarray', 'scalar'))
    for package in ('builtins', '__builtin__'):
        allowed.append(_named(_statistic, package, 'getattr'))
    allowed.append(_named(_latin1, '_codecs', 'encode'))
    return allowed


def _named(function: Callable, module: str, name: str) -> Callable:
    """The function under another name, which is what torch compares; before 2.6 it takes no pairs."""

    def rebuild(*args: Any) -> Any:
        return function(*args)

    rebuild.__module__, rebuild.__name__, rebuild.__qualname__ = module, name, name
    return rebuild


def _statistic(owner: Any, name: Any) -> Callable:
    """What is left of ``getattr`` inside a checkpoint: the four statistics of a log history."""
    if owner is not HistoryBuffer or name not in _STATISTICS:
        raise pickle.UnpicklingError(f'Unsupported global: GLOBAL builtins.getattr of {owner!r} and {name!r}')
    return getattr(HistoryBuffer, name)


def _latin1(text: str, encoding: str) -> bytes:
    """The bytes of an array; pickle's second protocol writes them as text and the call that turns it back."""
    if not isinstance(text, str) or encoding != 'latin1':
        raise pickle.UnpicklingError(
            f'Unsupported global: GLOBAL _codecs.encode of {type(text)} and {encoding!r}'
        )
    return text.encode('latin1')


def _state_without_methods(self: HistoryBuffer) -> dict:
    """Store numbers only: statistics belong to the class, and one that a user registered is foreign code."""
    return {key: value for key, value in vars(self).items() if key != 'statistics_methods'}


def load_weights_only() -> None:
    """Make every loader of MMEngine (file, web address, S3) load weights only, and say what it refuses.

    Seen: MMEngine 0.10.7 leaves the choice to torch, whose default is to run whatever a file carries before
    2.6, for every download (``torch.hub``) up to today, and whenever ``TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD`` is
    set.
    """
    loader = mmengine_checkpoint.CheckpointLoader
    if hasattr(loader, _MARK):
        return
    mmengine_checkpoint.torch = _TorchLoadingWeightsOnly()
    mmengine_checkpoint.load_url = partial(mmengine_checkpoint.load_url, weights_only=True)
    loader.load_checkpoint = classmethod(_with_clear_errors(loader.load_checkpoint.__func__))
    setattr(loader, _MARK, True)


class _TorchLoadingWeightsOnly(ModuleType):
    """torch as MMEngine's checkpoint module sees it: ``load`` takes weights only, the rest is torch's own."""

    def __init__(self) -> None:
        super().__init__('torch', torch.__doc__)

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)

    @staticmethod
    def load(*args: Any, **kwargs: Any) -> Any:
        return torch.load(*args, **{**kwargs, 'weights_only': True})


def _with_clear_errors(load: Callable) -> Callable:

    @wraps(load)
    def load_checkpoint(cls: type, filename: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return load(cls, filename, *args, **kwargs)
        except FileNotFoundError as error:
            raise FileNotFoundError(f'Checkpoint not found: {filename}') from error
        except URLError as error:
            raise CheckpointError(f'{filename} cannot be fetched ({error.reason}): check the address and the network, '
                                  'or fetch it by other means and name the file') from error
        except pickle.UnpicklingError as error:
            raise CheckpointError(_refusal(filename, str(error))) from None
        except (EOFError, RuntimeError, OSError) as error:
            # torch's reader answers some torn files with EINVAL; other system and device errors speak for
            # themselves.
            if 'CUDA' in str(error) or (isinstance(error, OSError) and error.errno != errno.EINVAL):
                raise
            raise CheckpointError(
                f'{filename} is not a complete checkpoint ({_first_line(error)}). It was cut off '
                'while being copied or downloaded, or is another kind of file: fetch it again, or '
                'resume from an earlier one.'
            ) from error

    return load_checkpoint


def _refusal(filename: str, reason: str) -> str:
    """Name the type that torch refused, out of its long explanation."""
    found = re.search(r'(?:GLOBAL|class|callable|global|function) `?([A-Za-z_][\w.]*\.[\w.]+)`?', reason)
    if found is None:
        return (
            f'{filename} is not a checkpoint, or one that carries more than weights: nothing in it was run. Name a '
            '.pth file that a training or tools/model_converters has written.'
        )
    return (
        f'{filename} was refused and nothing in it was run: it carries {found.group(1)}, which is neither a '
        'weight nor a number and could run code when loaded. Get the checkpoint from its original source, or '
        'have someone you trust save only its "state_dict" (tensors).'
    )


def _first_line(error: Any) -> str:
    return str(error).strip().partition('\n')[0][:200] or type(error).__name__
