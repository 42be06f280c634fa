"""Tensors on storages of known size."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from .budget import Budget
from .faults import UnfitError

_MOST_DIMENSIONS = 64


class Storage(NamedTuple):
    """Bytes and the type that the file gives them.

    Attributes:
        dtype: Element type.
        data: The bytes, on their device.
    """

    dtype: torch.dtype
    data: torch.UntypedStorage


class Tensors:
    """The functions behind torch's names.

    Args:
        budget: The file's allowances.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget

    def tensor(
        self,
        storage: Any,
        offset: Any,
        size: Any,
        stride: Any,
        requires_grad: Any = False,
        hooks: Any = None,
        metadata: Any = None,
    ) -> Tensor:
        """``torch._utils._rebuild_tensor_v2``, and before 0.4 ``_rebuild_tensor``; hooks are never in a file."""
        if type(storage) is not Storage or metadata or hooks:
            raise UnfitError('a tensor in it has no storage, or more than numbers')
        return self._view(storage.data, storage.dtype, offset, size, stride, requires_grad)

    def typed_tensor(
        self,
        storage: Any,
        offset: Any,
        size: Any,
        stride: Any,
        requires_grad: Any,
        hooks: Any,
        dtype: Any,
        metadata: Any = None,
    ) -> Tensor:
        """``torch._utils._rebuild_tensor_v3``: the storage is bytes, the tensor says what they are."""
        if type(storage) is not Storage or type(dtype) is not torch.dtype or metadata or hooks:
            raise UnfitError('a tensor in it has no storage, or more than numbers')
        return self._view(storage.data, dtype, offset, size, stride, requires_grad)

    @staticmethod
    def parameter(data: Any, requires_grad: Any = True, hooks: Any = None) -> torch.nn.Parameter:
        """``torch._utils._rebuild_parameter``."""
        if not isinstance(data, Tensor) or type(requires_grad) is not bool:
            raise UnfitError('a parameter in it is no tensor')
        return torch.nn.Parameter(data, requires_grad and _can_learn(data.dtype))

    def _view(
        self, data: torch.UntypedStorage, dtype: torch.dtype, offset: Any, size: Any, stride: Any, requires_grad: Any
    ) -> Tensor:
        """A tensor within the bytes of a storage."""
        if not (_are_lengths(size) and _are_lengths(stride) and _are_lengths((offset,))) or len(size) != len(stride):
            raise UnfitError('a tensor in it has no true shape')
        count, held = math.prod(size), data.nbytes() // dtype.itemsize
        last = offset + sum((length - 1) * step for length, step in zip(size, stride)) if count else 0
        if offset > held or last >= max(held, 1) or (count and not held):
            raise UnfitError(f'a tensor in it, {list(size)}, is larger than what is stored of it')
        self._budget.repeat(max(0, (count - held) * dtype.itemsize))
        tensor = torch.empty((0,), dtype=dtype, device=data.device).set_(data, offset, tuple(size), tuple(stride))
        return tensor.requires_grad_(requires_grad is True and _can_learn(dtype))


def _can_learn(dtype: torch.dtype) -> bool:
    return dtype.is_floating_point or dtype.is_complex


def _are_lengths(values: Any) -> bool:
    return (
        isinstance(values, Sequence)
        and len(values) <= _MOST_DIMENSIONS
        and all(type(value) is int and 0 <= value < 2**62 for value in values)
    )
