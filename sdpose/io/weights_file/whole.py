"""Whether a loaded object is plain through and through."""

from collections import Counter, OrderedDict
from typing import Any

import numpy as np
import torch
from mmengine.logging.history_buffer import HistoryBuffer

from .faults import UnfitError

_DEEPEST = 64
_FREE_VISITS = 10**5
_LEAVES = (
    type(None),
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    bytearray,
    torch.Tensor,
    torch.nn.Parameter,
    torch.Size,
    torch.device,
    torch.dtype,
    np.ndarray,
    np.generic,
    HistoryBuffer,
    Counter,
)


def require_plain(value: Any, steps: int) -> None:
    """Raise unless an object consists of weights, numbers, text and containers of these, each named about once.

    A dict that holds itself, or lists that name each other a billion times over, would keep whoever walks through them
    for ever.

    Args:
        value: The object.
        steps: The codes that it was read from.

    Raises:
        UnfitError: If it does not.
    """
    left = _visit(value, _FREE_VISITS + 2 * steps, 0)
    if left < 0:
        raise UnfitError('its entries name each other over and over')


def _visit(value: Any, left: int, depth: int) -> int:
    """How many visits are left after this value and all that it holds."""
    if depth > _DEEPEST:
        raise UnfitError(f'it is nested deeper than {_DEEPEST} times')
    kind = type(value)
    if kind in (dict, OrderedDict):
        parts = value.values()
    elif kind in (list, tuple, set):
        parts = value
    elif isinstance(value, _LEAVES):
        return left - 1
    else:
        raise UnfitError(f'an entry in it is no value ({kind.__name__})')
    for part in parts:
        if left < 0:
            break
        left = _visit(part, left, depth + 1)
    return left - 1
