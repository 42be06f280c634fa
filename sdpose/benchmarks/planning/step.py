"""What one training step of a config costs, counted on the CPU with a few images.

Products, kernels, the bytes that they read and write and those kept for the backward pass are the very model's, run
forward through all its cycles and backward from its predictions; the losses, which are small, are left out. What grows
with the batch is told from what does not by two sizes of it.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from itertools import chain
from typing import Any, NamedTuple

import torch
from mmengine.config import Config
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from sdpose.apis.complexity import count_macs, predictions
from sdpose.benchmarks.train.kept import kept_per_image
from sdpose.config.building import build_model
from sdpose.config.load import load_config
from sdpose.config.nodes import input_size
from sdpose.models.transformers.cpu_attention import as_on_a_gpu

_BACKWARD = 2  # products of a backward pass beside those of the forward one
_WORD = 4  # bytes of float32
_OPTIMIZER_STATES = {'Adam': 2, 'AdamW': 2, 'RMSprop': 1, 'SGD': 1}


class StepCost(NamedTuple):
    """The cost of a training step.

    Attributes:
        flops: Per image: forward through all cycles, backward, and a teacher's forward pass.
        test_flops: Per image, of the deployed pass.
        traffic: Bytes per image that kernels read and write.
        kept: Bytes per image between forward and backward pass.
        kernels: Per step.
        fixed: Bytes of weights, gradients, optimizer and a teacher.
        parameters: Trainable ones.
    """

    flops: float
    test_flops: float
    traffic: float
    kept: float
    kernels: int
    fixed: float
    parameters: int


class _Counter(TorchDispatchMode):
    """Kernels, and the bytes of what they read and write; views are none."""

    def __init__(self) -> None:
        super().__init__()
        self.kernels = self.bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        read = _tensors((args, kwargs or {}))
        places = {tensor.untyped_storage().data_ptr() for tensor in read}
        written = _tensors(result)
        is_view = all(tensor.untyped_storage().data_ptr() in places for tensor in written)
        if func._schema.is_mutable or not is_view:
            self.kernels += 1
            self.bytes += sum(tensor.numel() * tensor.element_size() for tensor in (*read, *written))
        return result


def _tensors(node: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(node) if isinstance(leaf, Tensor)]


def step_cost(config: Config, precision: str) -> StepCost:
    """Count a training step of a config.

    Args:
        config: Of a pose estimator or a classifier.
        precision: ``'fp32'``, ``'tf32'`` (the bytes of fp32), ``'fp16'`` or ``'bf16'``.

    Raises:
        ConfigError: If a part refuses its values, or the input size is unknown.
    """
    width, height = input_size(config)
    model = build_model(config.model).train()
    teacher = _teacher(config)
    image = torch.zeros(1, 3, height, width)
    macs = count_macs(model, image, training=True)[1] * (1 + _BACKWARD)
    if teacher is not None:
        macs += count_macs(teacher, image, training=False)[1]
    images = torch.rand(3, 3, height, width)
    one, two = (_counted(model, teacher, images[:batch], precision) for batch in (1, 2))
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    fixed = _WORD * sum(parameter.numel() for parameter in model.parameters())
    fixed += _WORD * (1 + _states(config)) * sum(parameter.numel() for parameter in trained)
    if teacher is not None:
        fixed += _WORD * sum(parameter.numel() for parameter in teacher.parameters())
    return StepCost(
        flops=2 * macs,
        test_flops=2 * count_macs(model, image, training=False)[1],
        traffic=two.bytes - one.bytes,
        kept=_kept(model, images, precision),
        kernels=two.kernels,
        fixed=fixed,
        parameters=sum(parameter.numel() for parameter in trained),
    )


def _kept(model: Any, images: Tensor, precision: str) -> float:
    """Bytes that the backward pass of one image more needs."""

    def forward(batch: int) -> Callable[[], Any]:
        def run() -> Any:
            with _autocast(precision):
                return predictions(model, images[:batch])

        return run

    return kept_per_image(forward, lambda: chain(model.parameters(), model.buffers(), [images]))


def _counted(model: Any, teacher: Any, images: Tensor, precision: str) -> _Counter:
    """Kernels and bytes of a forward and a backward pass, and of a teacher's forward pass."""
    with _Counter() as counter, as_on_a_gpu():
        with _autocast(precision):
            if teacher is not None:
                with torch.no_grad():
                    predictions(teacher.eval(), images)
            outputs = predictions(model, images)
        torch.stack([output.float().sum() for output in _tensors(outputs) if output.requires_grad]).sum().backward()
    model.zero_grad()
    return counter


def _autocast(precision: str) -> AbstractContextManager:
    return nullcontext() if precision in ('fp32', 'tf32') else torch.autocast('cpu', torch.bfloat16)


def _teacher(config: Config) -> Any:
    """The teacher of a config, without its weights, or None."""
    name = (config.model.get('distiller') or {}).get('teacher')
    return build_model(load_config(name).model) if isinstance(name, str) else None


def _states(config: Config) -> int:
    """Numbers that the optimizer keeps of each parameter, and a moving average of the weights."""
    optimizer = config.optim_wrapper.get('optimizer', {}).get('type', 'Adam')
    has_ema = any(hook.get('type') == 'EMAHook' for hook in config.get('custom_hooks') or [])
    return _OPTIMIZER_STATES.get(optimizer, 2) + has_ema
