"""NumPy's arrays and scalars, rebuilt from checked types, shapes and lengths."""

import math
import re
from typing import Any

import numpy as np

from .budget import Budget
from .faults import UnfitError

# Numbers, text and bytes; no objects, whose elements would be addresses, and no dates or records.
_KINDS = re.compile(r'b1|[iu][1248]|f(2|4|8|16)|c(8|16|32)|[SU]\d{1,5}')


class ElementType:
    """An element type under construction: its code comes first, its byte order afterwards.

    Args:
        code: Kind and size in bytes, or in letters for text: ``f8``, ``U3``.
    """

    __slots__ = ('code', 'value')

    def __init__(self, code: str) -> None:
        self.code = code
        self.value: np.dtype | None = None


class Arrays:
    """The functions behind NumPy's names.

    Args:
        budget: The file's allowances.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget

    @staticmethod
    def element_type(code: Any, align: Any = False, copy: Any = False) -> ElementType:
        """``numpy.dtype(code, False, True)``."""
        if type(code) is not str or not _KINDS.fullmatch(code):
            raise UnfitError(f'an array in it has elements {code!r}, which are neither numbers nor text')
        return ElementType(code)

    @staticmethod
    def set_element_type(target: ElementType, state: Any) -> None:
        """The state of a plain type: version, byte order, no parts, no fields, then sizes that follow from the code."""
        if type(state) is not tuple or len(state) not in (8, 9) or state[2:5] != (None, None, None):
            raise UnfitError('the element type of an array in it is odd')
        if state[1] not in ('<', '>', '=', '|'):
            raise UnfitError('the byte order of an array in it is odd')
        target.value = np.dtype(f'{state[1]}{target.code}')

    @staticmethod
    def empty_array(kind: Any, shape: Any, code: Any) -> np.ndarray:
        """``_reconstruct(numpy.ndarray, (0,), b'b')``: an array whose state follows."""
        if kind is not ARRAY or shape != (0,):
            raise UnfitError('an array in it begins oddly')
        return np.empty(0, np.int8)

    def set_array(self, target: np.ndarray, state: Any) -> None:
        """Version, shape, type, order and bytes of an array."""
        if type(state) is not tuple or len(state) != 5:
            raise UnfitError('the state of an array in it is odd')
        version, shape, kind, fortran, data = state
        if version != 1 or type(shape) is not tuple or len(shape) > 32 or type(fortran) is not bool:
            raise UnfitError('the state of an array in it is odd')
        if any(type(length) is not int or length < 0 for length in shape):
            raise UnfitError(f'an array in it has the shape {shape}')
        self._require_length(kind, data, math.prod(shape))
        self._budget.copy(len(data))
        checked: Any = (1, shape, kind.value, fortran, data)
        target.__setstate__(checked)

    def scalar(self, kind: Any, data: Any) -> np.generic:
        """``scalar(type, bytes)``."""
        self._require_length(kind, data, 1)
        return np.frombuffer(data, kind.value)[0] if data else kind.value.type()

    @staticmethod
    def _require_length(kind: Any, data: Any, count: int) -> None:
        if type(kind) is not ElementType or kind.value is None or type(data) is not bytes:
            raise UnfitError('an array in it has no element type or no bytes')
        if len(data) != count * kind.value.itemsize:
            raise UnfitError(f'an array in it has {len(data)} bytes, not {count} x {kind.value.itemsize}')


# What ``numpy.ndarray`` is in a file: a word that cannot be called.
ARRAY = type('Array', (), {'__slots__': ()})()
