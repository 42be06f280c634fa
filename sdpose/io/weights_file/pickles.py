"""The part of Python's pickle format that torch.save writes, read without calling what a file names."""

import pickle
import struct
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from typing import IO, Any

import numpy as np

from .budget import Budget
from .faults import DamagedError, ForeignTypeError, UnfitError

_LONGEST_NAME = 200
_LARGEST_KEY = 2**63
_PLAIN_KEYS = (str, int, float, bool, bytes, type(None))
# Names that Python 2 wrote.
_RENAMED = {'__builtin__': 'builtins', 'copy_reg': 'copyreg'}


class Named:
    """A name of the table, as it stands on the stack: the function that answers for it, not what it is called.

    Args:
        name: What the file calls it.
        function: Called with the arguments that the file gives.
    """

    __slots__ = ('name', 'function')

    def __init__(self, name: str, function: Callable) -> None:
        self.name = name
        self.function = function


class PickleReader:
    """Reads one pickle.

    Args:
        stream: Where it begins.
        names: The closed table: for each name that a file may hold a value, or a :class:`Named`.
        builders: For each type whose state follows its creation, the function that sets it.
        storage: Gives the storage that the entries of a persistent id describe.
        budget: The file's allowances.
    """

    def __init__(
        self,
        stream: IO[bytes],
        names: Mapping[str, Any],
        builders: Mapping[type, Callable],
        storage: Callable,
        budget: Budget,
    ) -> None:
        self._stream = stream
        self._names = names
        self._builders = builders
        self._storage = storage
        self._budget = budget
        self._stack: list[Any] = []
        self._below: list[list[Any]] = []
        self._memo: dict[int, Any] = {}
        self._actions: dict[bytes, Callable[[], None]] = {
            code: getattr(self, method) for code, method in _METHODS.items()
        }
        self._actions.update({code: partial(self._push, value) for code, value in _VALUES.items()})
        self._actions.update({code: partial(self._push_new, make) for code, make in _EMPTY.items()})
        self._actions.update({code: partial(self._number, form) for code, form in _NUMBERS.items()})

    def load(self) -> Any:
        """The object.

        Raises:
            ForeignTypeError: If it holds a name that is not in the table.
            UnfitError: If it holds what torch.save does not write.
            DamagedError: If it ends too early.
        """
        while self._budget.steps > 0:
            self._budget.steps -= 1
            code = self._read(1)
            if code == pickle.STOP:
                return self._stack.pop()
            action = self._actions.get(code)
            if action is None:
                raise DamagedError(f'byte {code!r} is no code of its format')
            action()
        raise UnfitError('it has more entries than any model')

    def _read(self, size: int) -> bytes:
        data = self._stream.read(size) if size <= self._budget.size else b''
        if len(data) != size:
            raise DamagedError('it ends too early')
        return data

    def _line(self) -> str:
        line = self._stream.readline(_LONGEST_NAME)
        if not line.endswith(b'\n'):
            raise DamagedError('a name in it has no end')
        return line[:-1].decode('utf-8')

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _push_new(self, make: Callable[[], Any]) -> None:
        self._stack.append(make())

    def _number(self, form: str) -> None:
        self._stack.append(struct.unpack(form, self._read(struct.calcsize(form)))[0])

    def _size(self, form: str) -> int:
        return struct.unpack(form, self._read(struct.calcsize(form)))[0]

    def _protocol(self) -> None:
        self._read(1)

    def _long(self) -> None:
        self._stack.append(int.from_bytes(self._read(self._size('<B')), 'little', signed=True))

    def _text(self) -> None:
        self._stack.append(str(self._read(self._size('<I')), 'utf-8', 'surrogatepass'))

    def _short_text(self) -> None:
        self._stack.append(str(self._read(self._size('<B')), 'utf-8'))

    def _mark(self) -> None:
        self._below.append(self._stack)
        self._stack = []

    def _above_mark(self) -> list[Any]:
        items, self._stack = self._stack, self._below.pop()
        return items

    def _tuple(self) -> None:
        items = self._above_mark()  # which changes the stack
        self._stack.append(tuple(items))

    def _tuple_1(self) -> None:
        self._stack[-1:] = [tuple(self._stack[-1:])]

    def _tuple_2(self) -> None:
        self._stack[-2:] = [(self._stack[-2], self._stack[-1])]

    def _tuple_3(self) -> None:
        self._stack[-3:] = [(self._stack[-3], self._stack[-2], self._stack[-1])]

    def _append(self) -> None:
        item = self._stack.pop()
        self._extend([item])

    def _appends(self) -> None:
        self._extend(self._above_mark())

    def _extend(self, items: list[Any]) -> None:
        if type(self._stack[-1]) is not list:
            raise UnfitError(f'it appends to {type(self._stack[-1]).__name__}, which is no list')
        self._stack[-1].extend(items)

    def _set_item(self) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._update([key, value])

    def _set_items(self) -> None:
        self._update(self._above_mark())

    def _update(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) not in (dict, OrderedDict) or len(items) % 2:
            raise UnfitError(f'it sets entries of {type(target).__name__}, which is no dict')
        for key, value in zip(items[::2], items[1::2]):
            target[plain_key(key)] = value

    def _get(self) -> None:
        self._stack.append(self._memo[self._size('<B')])

    def _long_get(self) -> None:
        self._stack.append(self._memo[self._size('<I')])

    def _put(self) -> None:
        self._memo[self._size('<B')] = self._stack[-1]

    def _long_put(self) -> None:
        self._memo[self._size('<I')] = self._stack[-1]

    def _global(self) -> None:
        module, name = self._line(), self._line()
        full = f'{_RENAMED.get(module, module)}.{name}'
        if full not in self._names:
            raise ForeignTypeError(f'{module}.{name}')
        self._stack.append(self._names[full])

    def _reduce(self) -> None:
        arguments, called = self._stack.pop(), self._stack.pop()
        if type(called) is not Named or type(arguments) is not tuple:
            raise UnfitError(f'it calls {type(called).__name__} with {type(arguments).__name__}')
        self._stack.append(called.function(*arguments))

    def _build(self) -> None:
        state, target = self._stack.pop(), self._stack[-1]
        builder = self._builders.get(type(target))
        if builder is None:
            raise UnfitError(f'it sets attributes of {type(target).__name__}')
        builder(target, state)

    def _persistent(self) -> None:
        entries = self._stack.pop()
        if type(entries) is not tuple or entries[:1] != ('storage',):
            raise UnfitError('it refers to something else than a storage')
        self._stack.append(self._storage(*entries[1:]))


_METHODS = {
    pickle.PROTO: '_protocol',
    pickle.LONG1: '_long',
    pickle.BINUNICODE: '_text',
    pickle.BINSTRING: '_text',
    pickle.SHORT_BINSTRING: '_short_text',
    pickle.MARK: '_mark',
    pickle.TUPLE: '_tuple',
    pickle.TUPLE1: '_tuple_1',
    pickle.TUPLE2: '_tuple_2',
    pickle.TUPLE3: '_tuple_3',
    pickle.APPEND: '_append',
    pickle.APPENDS: '_appends',
    pickle.SETITEM: '_set_item',
    pickle.SETITEMS: '_set_items',
    pickle.BINGET: '_get',
    pickle.LONG_BINGET: '_long_get',
    pickle.BINPUT: '_put',
    pickle.LONG_BINPUT: '_long_put',
    pickle.GLOBAL: '_global',
    pickle.REDUCE: '_reduce',
    pickle.NEWOBJ: '_reduce',
    pickle.BUILD: '_build',
    pickle.BINPERSID: '_persistent',
}
_VALUES = {pickle.NONE: None, pickle.NEWTRUE: True, pickle.NEWFALSE: False, pickle.EMPTY_TUPLE: ()}
_EMPTY = {pickle.EMPTY_LIST: list, pickle.EMPTY_DICT: dict}
_NUMBERS = {pickle.BININT: '<i', pickle.BININT1: '<B', pickle.BININT2: '<H', pickle.BINFLOAT: '>d'}


def plain_key(key: Any) -> Any:
    """A key of a dict or a set, which is hashed: text, a number, or a flat tuple of these.

    Raises:
        UnfitError: If it is something else: a hash of tuples nested a million deep ends the process, and large integers
            can be chosen to share one.
    """
    for part in key if type(key) is tuple else (key,):
        if not isinstance(part, (*_PLAIN_KEYS, np.generic)) or (type(part) is int and abs(part) >= _LARGEST_KEY):
            raise UnfitError(f'a key in it is {type(part).__name__}, neither text nor a usual number')
    return key
