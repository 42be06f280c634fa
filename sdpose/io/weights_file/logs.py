"""MMEngine's log history, rebuilt from two checked arrays."""

from typing import Any

import numpy as np
from mmengine.logging.history_buffer import HistoryBuffer

from .faults import UnfitError

_STATISTICS = ('min', 'max', 'current', 'mean')
_ARRAYS = ('_log_history', '_count_history')


def empty_log(*arguments: Any) -> HistoryBuffer:
    """A log history whose numbers follow."""
    if arguments:
        raise UnfitError('a log history in it begins oddly')
    return HistoryBuffer()


def set_log(target: HistoryBuffer, state: Any) -> None:
    """Its numbers; what plain MMEngine stores beside them are the four methods of the class."""
    if type(state) is not dict or not {*_ARRAYS, 'max_length'} <= state.keys():
        raise UnfitError('a log history in it is no log history')
    values, counts = (state[name] for name in _ARRAYS)
    for each in (values, counts):
        if type(each) is not np.ndarray or each.ndim != 1 or each.dtype.kind not in 'biuf':
            raise UnfitError('a log history in it holds no numbers')
    if len(values) != len(counts) or type(state['max_length']) is not int or state['max_length'] < 1:
        raise UnfitError('a log history in it has lengths that differ')
    target.max_length = state['max_length']
    target._log_history, target._count_history = values, counts


def statistic(owner: Any, name: Any) -> str:
    """What is left of ``getattr`` inside a checkpoint: the name of one of the class's own statistics."""
    if getattr(owner, 'function', None) is not empty_log or name not in _STATISTICS:
        raise UnfitError('it asks for an attribute (builtins.getattr) other than the statistics of a log history')
    return name
