"""Whether a loaded checkpoint has the form that MMEngine's runner and the converters rely on."""

import re
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from sdpose.errors import CheckpointError

from .finite import require_finite

_WRAPPERS = re.compile(r'^(?:(?:module|_orig_mod)\.)+')
_OWN_STATE = '_extra_state'  # of a torch module, of any type
# What is read of a meta, its type in words, and how that is asked.
_META = {
    'epoch': ('a number', lambda value: _is_count(value, 2**40)),
    'iter': ('a number', lambda value: _is_count(value, 2**40)),
    'seed': ('a number', lambda value: value is None or _is_count(value, 2**32)),
    'cfg': ('text', lambda value: isinstance(value, str)),
    'config': ('text', lambda value: isinstance(value, str)),
    'dataset_meta': ('a dict', lambda value: value is None or isinstance(value, dict)),
    'stripped': ('a list of names', lambda value: isinstance(value, (list, tuple)) and _are_names(value)),
    'training': ('a dict', lambda value: isinstance(value, dict)),
}


def checked(checkpoint: Any, source: str) -> dict[str, Any]:
    """The checkpoint, its weights without the prefixes of wrappers.

    Args:
        checkpoint: What a file held.
        source: What messages call it.

    Raises:
        CheckpointError: If it is no dict of weights, or what is read of its other entries is not what it should be.
        NonFiniteError: If weights are no numbers.
    """
    if not isinstance(checkpoint, dict):
        raise CheckpointError(f'{source} holds {_kind(checkpoint)}, not named weights: name a checkpoint')
    if not _are_names(checkpoint):
        odd = next(key for key in checkpoint if not isinstance(key, str))
        raise CheckpointError(f'{source} has the key {odd!r} where names are expected: its weights have no names')
    _check_meta(checkpoint, source)
    _check_stored_text(checkpoint.get('message_hub', {}), source)
    if 'state_dict' in checkpoint:
        _check_state(checkpoint['state_dict'], source)
        checkpoint['state_dict'] = unwrapped(checkpoint['state_dict'], source)
    else:
        checkpoint = unwrapped(checkpoint, source)
    # Beside MMEngine's layout and bare weights there are files that hold them below ``model``, or another name.
    parts = [part for part in (checkpoint, *checkpoint.values()) if isinstance(part, Mapping)]
    if not any(isinstance(value, Tensor) for part in parts for value in part.values()):
        raise CheckpointError(
            f'{source} holds no weights: expected named tensors or a "state_dict", found {sorted(checkpoint)[:8]}'
        )
    for part in (checkpoint.get('state_dict', checkpoint), checkpoint.get('model')):
        if isinstance(part, Mapping):
            require_finite(part, source)
    return checkpoint


def unwrapped(state: Mapping[str, Any], source: str) -> Mapping[str, Any]:
    """Named weights without ``module.`` and ``_orig_mod.``, which parallel and compiled models put before each name.

    Raises:
        CheckpointError: If two names become one.
    """
    if not any(_WRAPPERS.match(key) for key in state):
        return state
    renamed = OrderedDict((_WRAPPERS.sub('', key), value) for key, value in state.items())
    if len(renamed) < len(state):
        raise CheckpointError(
            f'{source} holds the same weights twice, with and without the prefix of a wrapper '
            '(module., _orig_mod.): which ones are meant is not known'
        )
    return renamed


def _check_meta(checkpoint: Mapping, source: str) -> None:
    meta = checkpoint.get('meta', {})
    if isinstance(meta, Tensor):  # of a bare state dict, a weight like others
        return
    if not isinstance(meta, dict):
        raise CheckpointError(f'{source} has an odd meta: {_kind(meta)}, not a dict. It is damaged, or no checkpoint')
    for key, (expected, fits) in _META.items():
        if key in meta and not fits(meta[key]):
            raise CheckpointError(
                f'{source} has an odd meta: {key} is {_shown(meta[key])}, not {expected}. It is '
                'damaged, or was not written by a training'
            )


def _check_stored_text(hub: Any, source: str) -> None:
    """The config's text, for which MMEngine's inferencer looks among the messages first."""
    info = hub.get('runtime_info', {}) if isinstance(hub, dict) else None
    if not isinstance(hub, Tensor) and (not isinstance(info, dict) or not isinstance(info.get('cfg', ''), str)):
        raise CheckpointError(f'{source} has an odd message_hub: it is damaged, or was not written by a training')


def _check_state(state: Any, source: str) -> None:
    if not isinstance(state, dict):
        raise CheckpointError(
            f'{source} has {_kind(state)} for its state_dict, not named weights: it is damaged, or no checkpoint'
        )
    for key, value in state.items():
        if not isinstance(key, str):
            raise CheckpointError(f'{source} has the key {key!r} in its state_dict: its weights have no names')
        if not isinstance(value, Tensor) and not key.endswith(_OWN_STATE):
            raise CheckpointError(f'{source} has {_kind(value)} for the weight {key}: it is damaged, or no checkpoint')


def _is_count(value: Any, limit: int) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and bool(0 <= value < limit)


def _are_names(values: Any) -> bool:
    return all(isinstance(value, str) for value in values)


def _kind(value: Any) -> str:
    return 'nothing' if value is None else f'a {type(value).__name__}'


def _shown(value: Any) -> str:
    return repr(value)[:60] if isinstance(value, (str, int, float, type(None))) else _kind(value)
