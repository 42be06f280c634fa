"""The closed table of the names that a checkpoint may hold, and the functions that answer for them."""

from collections import Counter, OrderedDict
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.logging.history_buffer import HistoryBuffer

from .arrays import ARRAY, Arrays, ElementType
from .budget import Budget
from .faults import UnfitError
from .logs import empty_log, set_log, statistic
from .pickles import Named, plain_key
from .tensors import Tensors

_STORAGES = {
    'DoubleStorage': torch.float64,
    'FloatStorage': torch.float32,
    'HalfStorage': torch.float16,
    'BFloat16Storage': torch.bfloat16,
    'LongStorage': torch.int64,
    'IntStorage': torch.int32,
    'ShortStorage': torch.int16,
    'CharStorage': torch.int8,
    'ByteStorage': torch.uint8,
    'BoolStorage': torch.bool,
    'ComplexFloatStorage': torch.complex64,
    'ComplexDoubleStorage': torch.complex128,
}
_BYTES_PER_ITEM = 64


class StorageKind(NamedTuple):
    """A class of storages, which a persistent id names first.

    Attributes:
        dtype: Its element type.
    """

    dtype: torch.dtype


class _Plain:
    """The functions behind the names of plain Python values."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget

    def ordered(self, *arguments: Any) -> OrderedDict:
        items = arguments[0] if arguments else []
        if len(arguments) > 1 or type(items) is not list or any(len(item) != 2 for item in items):
            raise UnfitError('a dict in it begins oddly')
        self._budget.copy(_BYTES_PER_ITEM * len(items))
        return OrderedDict((plain_key(key), value) for key, value in items)

    def counter(self, counts: Any = None) -> Counter:
        """The milestones of a schedule: how often each step is named."""
        counts = counts or {}
        if type(counts) is not dict or any(type(each) is not int for pair in counts.items() for each in pair):
            raise UnfitError('a counter in it counts something else than numbers')
        self._budget.copy(_BYTES_PER_ITEM * len(counts))
        return Counter(counts)

    def encoded(self, text: Any, encoding: Any = 'latin1') -> bytes:
        """Bytes, which the second protocol of pickle writes as text and the call that turns it back."""
        if type(text) is not str or encoding not in ('latin1', 'latin-1'):
            raise UnfitError('bytes in it are not written as bytes')
        self._budget.copy(len(text))
        return text.encode('latin1')

    @staticmethod
    def no_bytes(*arguments: Any) -> bytes:
        """How the second protocol writes ``b''``."""
        if arguments:
            raise UnfitError('bytes in it are not written as bytes')
        return b''

    def byte_array(self, *arguments: Any) -> bytearray:
        return bytearray(self.encoded(*arguments) if arguments else b'')

    def set_of(self, items: Any) -> set:
        if type(items) is not list:
            raise UnfitError('a set in it is made of no list')
        self._budget.copy(_BYTES_PER_ITEM * len(items))
        return set(map(plain_key, items))

    def shape(self, lengths: Any) -> torch.Size:
        if type(lengths) is not tuple or any(type(length) is not int for length in lengths):
            raise UnfitError('a shape in it is no shape')
        self._budget.copy(_BYTES_PER_ITEM * len(lengths))
        return torch.Size(lengths)

    @staticmethod
    def complex_number(real: Any, imaginary: Any) -> complex:
        if type(real) is not float or type(imaginary) is not float:
            raise UnfitError('a complex number in it is none')
        return complex(real, imaginary)

    @staticmethod
    def device(kind: Any, index: Any = None) -> torch.device:
        if type(kind) is not str or type(index) not in (int, type(None)):
            raise UnfitError('a device in it is none')
        return torch.device(kind) if index is None else torch.device(kind, index)


def _set_version(target: Any, state: Any) -> None:
    """The one attribute of a state dict: the version of each module's layout."""
    versions = state.get('_metadata') if type(state) is dict and state.keys() <= {'_metadata'} else None
    if not isinstance(versions, dict) or not all(
        type(entry) is dict and type(entry.get('version')) in (int, type(None)) for entry in versions.values()
    ):
        raise UnfitError('a dict in it has attributes')
    target._metadata = versions


@lru_cache(maxsize=1)
def _values() -> dict[str, Any]:
    """Names that stand for a value: element types, kinds of storages, and NumPy's array, which is never called."""
    values: dict[str, Any] = {f'torch.{name}': StorageKind(dtype) for name, dtype in _STORAGES.items()}
    values['torch.storage.UntypedStorage'] = StorageKind(torch.uint8)
    values.update({str(dtype): dtype for dtype in vars(torch).values() if type(dtype) is torch.dtype})
    values['numpy.ndarray'] = ARRAY
    return values


def names_and_builders(budget: Budget) -> tuple[dict[str, Any], dict[type, Callable]]:
    """What a file's names stand for, and what sets the state of what they made.

    Args:
        budget: The file's allowances.
    """
    arrays, tensors, plain = Arrays(budget), Tensors(budget), _Plain(budget)
    functions: dict[str, Callable] = {
        'torch._utils._rebuild_tensor': tensors.tensor,
        'torch._utils._rebuild_tensor_v2': tensors.tensor,
        'torch._utils._rebuild_tensor_v3': tensors.typed_tensor,
        'torch._utils._rebuild_parameter': tensors.parameter,
        'torch.nn.parameter.Parameter': tensors.parameter,
        'torch.Size': plain.shape,
        'torch.device': plain.device,
        'collections.OrderedDict': plain.ordered,
        'collections.Counter': plain.counter,
        '_codecs.encode': plain.encoded,
        'builtins.bytes': plain.no_bytes,
        'builtins.bytearray': plain.byte_array,
        'builtins.set': plain.set_of,
        'builtins.complex': plain.complex_number,
        'builtins.getattr': statistic,
        'numpy.dtype': arrays.element_type,
        f'{HistoryBuffer.__module__}.HistoryBuffer': empty_log,
    }
    for package in ('numpy.core', 'numpy._core'):  # before and since NumPy 2
        functions[f'{package}.multiarray._reconstruct'] = arrays.empty_array
        functions[f'{package}.multiarray.scalar'] = arrays.scalar
    named = {name: Named(name, function) for name, function in functions.items()}
    builders: dict[type, Callable[..., Any]] = {
        ElementType: arrays.set_element_type,
        np.ndarray: arrays.set_array,
        HistoryBuffer: set_log,
        OrderedDict: _set_version,
    }
    return {**_values(), **named}, builders
