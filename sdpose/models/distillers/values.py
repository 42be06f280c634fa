"""The values that a distillation term can compare, between two cycles as well as with a teacher: one table.

Shapes: B batch, C channels, K query tokens, P visual tokens, D width, H and W the size of a map.
"""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from sdpose.models.losses.base import MAPS, PREDICTION, TOKENS, TRACE
from sdpose.models.outputs import ModelOutputs

VALUES: dict[str, Callable[[ModelOutputs, int], Any]] = {
    'query': lambda outputs, cycle: outputs.tokens(cycle).query,  # (B, K, D)
    'visual': lambda outputs, cycle: outputs.tokens(cycle).visual,  # (B, P, D)
    'visual_content': lambda outputs, cycle: outputs.tokens(cycle).visual_content,  # (B, P, D)
    'trace': lambda outputs, cycle: outputs.tokens(cycle).trace,  # one LayerTrace per layer
    'backbone': lambda outputs, cycle: outputs.map(None),  # (B, C, H, W), as the next ones
    'backbone0': lambda outputs, cycle: outputs.map(0),
    'backbone1': lambda outputs, cycle: outputs.map(1),
    'backbone2': lambda outputs, cycle: outputs.map(2),
    'backbone3': lambda outputs, cycle: outputs.map(3),
    'deconv': lambda outputs, cycle: outputs.deconv,
    'prediction': lambda outputs, cycle: outputs.prediction(cycle),  # what the head returns
}
# Those that every cycle has of its own.
PER_CYCLE = TOKENS + TRACE + PREDICTION
assert set(VALUES) == {*TOKENS, *TRACE, *MAPS, *PREDICTION}


def values_of(outputs: ModelOutputs, cycle: int, detach: bool = False) -> Callable[[str], Any]:
    """The values of a cycle by name, with or without their gradient."""

    def value(name: str) -> Any:
        found = VALUES[name](outputs, cycle)
        return detached(found) if detach else found

    return value


def detached(value: Any) -> Any:
    """A value without gradient: a tensor, a tuple of values, or None."""
    if isinstance(value, Tensor):
        return value.detach()
    if isinstance(value, tuple):
        parts = map(detached, value)
        return type(value)(*parts) if hasattr(value, '_fields') else tuple(parts)  # a named tuple takes them one by one
    return value
