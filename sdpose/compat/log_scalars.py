"""Values of the log stay on the device until somebody reads them."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer, MessageHub
from mmengine.optim import OptimWrapper
from torch import Tensor

_MARK = '_sdpose_compat'
# A training without a log would keep every value of every step.
_MOST = 1000

_Value = tuple[Any, int]  # a value with its count


def read_scalars_late() -> None:
    """Let MMEngine's message hub take a step's values as they are, and copy them to the host when they are asked for.

    Seen: MMEngine 0.10.7 calls ``value.item()`` for each logged value of each step, and ``float(grad_norm)`` where
    gradients are clipped, so that the host waits for a GPU several times a step; and it copies a value's whole history
    to append one number. Whoever reads the hub gets the same numbers as before; one copy serves all values that wait.
    """
    if hasattr(MessageHub, _MARK):
        return
    original = MessageHub.state_dict

    def state_dict(self: MessageHub) -> dict:
        _read_all(self)
        return original(self)

    setattr(MessageHub, _MARK, True)
    MessageHub.update_scalar = _update_scalar
    MessageHub.get_scalar = _get_scalar
    MessageHub.log_scalars = property(_log_scalars, doc='All histories, in the order of their first values.')
    MessageHub.state_dict = state_dict
    OptimWrapper._clip_grad = _clip_grad


def read_values(values: Iterable[Any]) -> list[int | float]:
    """Numbers and tensors of one number as Python's numbers; the tensors of a device by one copy.

    Args:
        values: Of any mixture.
    """
    found = list(values)
    groups: dict[tuple, list[int]] = {}
    for place, value in enumerate(found):
        if isinstance(value, Tensor):
            groups.setdefault((value.device, value.dtype), []).append(place)
        elif isinstance(value, (np.ndarray, np.number)):
            found[place] = value.item()
    for places in groups.values():
        numbers = torch.stack([found[place].detach().reshape(()) for place in places]).tolist()
        for place, number in zip(places, numbers):
            found[place] = number
    return found


def _update_scalar(self: MessageHub, key: str, value: Any, count: int = 1, resumed: bool = True) -> None:
    """Take a value of a scalar: a number, or a tensor or array of one."""
    self._set_resumed_keys(key, resumed)
    assert isinstance(count, int), f'The type of count must be int. but got {type(count): {count}}'
    if isinstance(value, Tensor):
        assert value.numel() == 1
        value = value.detach().clone()  # neither the graph, nor what is added to it later
    else:
        value = self._get_valid_value(value)
    self._log_scalars.setdefault(key, HistoryBuffer())  # its place in the order
    waiting = _waiting(self).setdefault(key, [])
    waiting.append((value, count))
    if len(waiting) >= _MOST:
        _read_all(self)


def _get_scalar(self: MessageHub, key: str) -> HistoryBuffer:
    """The history of a scalar; no other one is read from the device."""
    if key not in self._log_scalars:
        raise KeyError(f'{key} is not found in Messagehub.log_buffers: instance name is: {self.instance_name}')
    waiting = _waiting(self).pop(key, [])
    if waiting:
        _append(self, key, waiting, read_values(value for value, _ in waiting))
    return self._log_scalars[key]


def _log_scalars(self: MessageHub) -> dict[str, HistoryBuffer]:
    _read_all(self)
    return self._log_scalars


def _read_all(hub: MessageHub) -> None:
    waiting = _waiting(hub)
    numbers = read_values(value for entries in waiting.values() for value, _ in entries)
    start = 0
    for key, entries in waiting.items():
        _append(hub, key, entries, numbers[start : start + len(entries)])
        start += len(entries)
    waiting.clear()


def _append(hub: MessageHub, key: str, entries: Sequence[_Value], numbers: Sequence[int | float]) -> None:
    counts = [count for _, count in entries]
    history = hub._log_scalars[key]
    if not len(history.data[0]):  # as MMEngine begins one; it becomes an array of whole numbers where all are
        hub._log_scalars[key] = HistoryBuffer(numbers[:1], counts[:1], history.max_length)
        history, numbers, counts = hub._log_scalars[key], numbers[1:], counts[1:]
    if not numbers:
        return
    most = history.max_length
    history._log_history = np.append(history._log_history, numbers)[-most:]
    history._count_history = np.append(history._count_history, counts)[-most:]


def _waiting(hub: MessageHub) -> dict[str, list[_Value]]:
    """The values of a hub that nobody has asked for yet."""
    return hub.__dict__.setdefault('_sdpose_waiting', {})


def _clip_grad(self: OptimWrapper) -> None:
    """Clip the gradients; their norm is logged like a loss."""
    parameters = [each for group in self.optimizer.param_groups for each in group['params']]
    parameters = [each for each in parameters if each.requires_grad and each.grad is not None]
    norm = self.clip_func(parameters, **self.clip_grad_kwargs) if parameters else None
    if norm is not None:  # clipping by value has none
        self.message_hub.update_scalar(f'train/{self.grad_name}', norm)
