"""Checkpoints hold weights and plain numbers; loading one never runs code that it carries."""

import os
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.error import URLError
from urllib.parse import urlparse

import mmengine.runner.checkpoint as mmengine_checkpoint
import numpy as np
import torch
from mmengine.logging.history_buffer import HistoryBuffer

from sdpose.errors import CheckpointError
from sdpose.io.stored_config import remember
from sdpose.io.weights_file import checked, load_file

from .rebind import rebind

_MARK = '_sdpose_compat'
_PLAIN = (bool, int, float, complex, str, bytes, torch.Tensor, torch.Size, torch.dtype, torch.device, Counter)
_ARRAY_KINDS = 'biufcSU'


def store_numbers_only() -> None:
    """Keep methods out of checkpoints.

    Seen: MMEngine 0.10.7 stores a log history with four of its own methods, which pickle writes as calls of
    ``getattr``; torch >= 2.6 refuses that. The methods belong to the class, and one that a user registered is foreign
    code to whoever loads the file.
    """
    if not hasattr(HistoryBuffer, _MARK):
        HistoryBuffer.__getstate__ = _state_without_methods
        setattr(HistoryBuffer, _MARK, True)


def _state_without_methods(self: HistoryBuffer) -> dict:
    return {key: value for key, value in vars(self).items() if key != 'statistics_methods'}


def store_plain_metainfo() -> None:
    """Write the metainfo of a user's data set into checkpoints as values that can be read again without running code.

    Seen: MMEngine 0.10.7 pickles whatever a data set has in its ``metainfo``: a path, a range, a frozen set or an array
    of objects is written as a call, which the reader, like torch's own, refuses, when the training has ended well.
    """
    original = mmengine_checkpoint.save_checkpoint
    if hasattr(original, '__wrapped__'):
        return

    @wraps(original)
    def save_checkpoint(checkpoint: dict, *args: Any, **kwargs: Any) -> Any:
        meta = checkpoint.get('meta')
        if isinstance(meta, dict) and 'dataset_meta' in meta:
            checkpoint = {**checkpoint, 'meta': {**meta, 'dataset_meta': plain(meta['dataset_meta'])}}
        return original(checkpoint, *args, **kwargs)

    rebind(original, save_checkpoint)


def plain(value: Any) -> Any:
    """A value of numbers, text, arrays of these, lists, tuples, sets and dicts in place of one of other kinds."""
    if type(value) is dict or isinstance(value, (Mapping, OrderedDict)):
        kind = OrderedDict if type(value) is OrderedDict else dict
        return kind((plain(key), plain(item)) for key, item in value.items())
    if type(value) in (list, tuple, set):
        return type(value)(map(plain, value))
    if isinstance(value, (np.ndarray, np.generic)):
        kept = type(value) is not np.ma.MaskedArray and value.dtype.kind in _ARRAY_KINDS
        return value if kept else plain(value.tolist())
    if value is None or type(value) in _PLAIN:
        return value
    if isinstance(value, (bool, int, float, str)):  # of a class of its own
        return next(kind(value) for kind in (int, float, str) if isinstance(value, kind))
    if isinstance(value, Iterable):
        return tuple(map(plain, value))
    return getattr(value, '__name__', None) or str(value)


def load_weights_only() -> None:
    """Make every loader of MMEngine (file, web address, S3) read weights only, checked, and say what it refuses.

    Seen: MMEngine 0.10.7 leaves the choice to torch, whose default is to run whatever a file carries before 2.6, for
    every download (``torch.hub``) up to today, and whenever ``TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD`` is set. Where torch
    loads weights only, it refuses MMEngine's own types, and allowing these hands their constructors to whoever wrote
    the file. So files are read by :mod:`sdpose.io.weights_file`; torch's own list of types stays as it is.
    """
    loader = mmengine_checkpoint.CheckpointLoader
    if hasattr(loader, _MARK):
        return
    mmengine_checkpoint.torch = _TorchLoadingWeightsOnly()
    mmengine_checkpoint.load_url = _load_url
    loader.load_checkpoint = classmethod(_checking(loader.load_checkpoint.__func__))
    setattr(loader, _MARK, True)


class _TorchLoadingWeightsOnly(ModuleType):
    """torch as MMEngine's checkpoint module sees it: ``load`` takes weights only, the rest is torch's own."""

    def __init__(self) -> None:
        super().__init__('torch', torch.__doc__)

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)

    @staticmethod
    def load(source: Any, map_location: Any = None) -> Any:
        return load_file(source, map_location)


def _load_url(url: str, model_dir: str | None = None, map_location: Any = None, progress: bool = True) -> Any:
    """What :func:`torch.hub.load_state_dict_from_url` does, with the checked reader in place of torch's."""
    folder = Path(model_dir or os.path.join(torch.hub.get_dir(), 'checkpoints'))
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / os.path.basename(urlparse(url).path)
    if not file.exists():
        torch.hub.download_url_to_file(url, str(file), progress=progress)
    return load_file(file, map_location)


def _checking(load: Callable) -> Callable:

    @wraps(load)
    def load_checkpoint(cls: type, filename: str, *args: Any, **kwargs: Any) -> Any:
        if os.path.exists(path := os.path.expanduser(filename)) and not os.path.isfile(path):
            raise CheckpointError(f'{filename} is no regular file: name a .pth file')
        try:
            checkpoint = load(cls, filename, *args, **kwargs)
        except FileNotFoundError as error:
            raise FileNotFoundError(f'Checkpoint not found: {filename}') from error
        except URLError as error:
            raise CheckpointError(
                f'{filename} cannot be fetched ({error.reason}): check the address and the network, '
                'or fetch it by other means and name the file'
            ) from error
        checkpoint = checked(checkpoint, filename)
        remember(checkpoint, filename)
        return checkpoint

    return load_checkpoint
