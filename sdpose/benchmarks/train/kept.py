"""What a forward pass leaves behind for its backward pass, counted, on any device."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class _Made(TorchDispatchMode):
    """Remembers the memory of every tensor that is computed, without keeping it."""

    def __init__(self) -> None:
        super().__init__()
        self.storages: dict[int, tuple[StorageWeakRef, int]] = {}

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = function(*args, **(kwargs or {}))
        for value in tree_leaves(made):
            if isinstance(value, Tensor):
                storage = value.untyped_storage()
                self.storages[storage._cdata] = (StorageWeakRef(storage), storage.nbytes())
        return made


def kept_bytes(forward: Callable[[], Any], own: Iterator[Tensor]) -> int:
    """Bytes that are alive when a forward pass has ended, and were not before.

    Args:
        forward: Computes losses with gradient, and returns them.
        own: Parameters, buffers and inputs: what is written into them is not counted.
    """
    before = {tensor.untyped_storage()._cdata for tensor in own}
    with _Made() as mode:
        losses = forward()
    alive = {
        cdata: size for cdata, (storage, size) in mode.storages.items() if cdata not in before and not storage.expired()
    }
    del losses
    return sum(alive.values())


def kept_per_image(forward: Callable[[int], Callable[[], Any]], own: Callable[[], Iterator[Tensor]]) -> float:
    """Bytes kept for one image more; what is kept once, as the weights in half precision, falls out.

    Args:
        forward: Gives, for a number of images, a forward pass of them.
        own: Parameters, buffers and inputs.
    """
    few, more = (kept_bytes(forward(batch), own()) for batch in (1, 3))
    return (more - few) / 2


def peak_bytes(step: Callable[[], Any], device: torch.device) -> int | None:
    """The most memory that a step has on a GPU; None on a CPU.

    Args:
        step: A step of training.
        device: Where it runs.
    """
    if device.type != 'cuda':
        return None
    torch.cuda.reset_peak_memory_stats(device)
    step()
    torch.cuda.synchronize(device)
    return torch.cuda.max_memory_allocated(device)
