"""Parameters and multiply-adds of a model, in the published convention and in full.

The published figures of TokenPose, PPT, DistilPose and SDPose are those of MMCV's counter: it sees modules only, so
the two matrix products of attention are left out. Both numbers are given here, for the deployed single pass and for one
training forward with all its cycles.
"""

import copy
from typing import Any

import torch
from mmcv.cnn.utils.flops_counter import add_flops_counting_methods
from mmengine.config import Config
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from sdpose.config.building import build_model
from sdpose.config.nodes import input_size
from sdpose.io.checkpoint import TRAINING_ONLY
from sdpose.models.heads import CycleHead
from sdpose.models.transformers import FastLinear


def predictions(model: Any, images: Tensor) -> Any:
    """What a model's head makes of images: in training mode of every supervised cycle, else of the deployed one.

    Args:
        model: A pose estimator or a classifier.
        images: (B, 3, H, W), normalized.
    """
    feats = model.extract_feat(images)
    if model.training and isinstance(model.head, CycleHead):
        return model.head.cycle_outputs(feats)
    return model.head.forward(feats)


class _Forward(nn.Module):
    """One forward from image to predictions as the only call of a module, which is what MMCV's counter needs."""

    def __init__(self, model: Any, training: bool) -> None:
        super().__init__()
        self.model = model
        self.train(training)

    def forward(self, image: Tensor) -> None:
        predictions(self.model, image)


def count_macs(model: nn.Module, image: Tensor, training: bool) -> tuple[int, int]:
    """Multiply-adds of one forward of one image.

    Args:
        model: A pose estimator or a classifier.
        image: (1, 3, H, W).
        training: Count every training cycle instead of the deployed single pass.

    Returns:
        In the published convention (modules only: convolutions, linears, norms, ReLU, upsampling), and true
        multiply-adds (matrix products and convolutions only, attention included).
    """
    # MMCV's counter leaves its counts on the modules, so it gets a copy; it knows classes, not their children.
    copied = copy.deepcopy(model)
    for module in copied.modules():
        if type(module) is FastLinear:
            module.__class__ = nn.Linear  # type: ignore[assignment]
    forward = add_flops_counting_methods(_Forward(copied, training))
    forward.start_flops_count()
    with torch.no_grad():
        forward(image)
    published, _ = forward.compute_average_flops_cost()
    forward.stop_flops_count()
    # The fused kernels are invisible to torch's counter on a CPU; the plain path is the same arithmetic.
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        forward(image)
    return round(published), counter.get_total_flops() // 2


def count_parameters(model: nn.Module, training: bool) -> int:
    """Trainable parameters; those of losses and distillers count in training only."""
    return sum(
        parameter.numel()
        for name, parameter in model.named_parameters()
        if parameter.requires_grad and (training or not name.startswith(TRAINING_ONLY))
    )


def complexity(config: Config) -> dict[str, dict[str, int]]:
    """Parameters and multiply-adds of a config's model at its own input size, in absolute numbers.

    Args:
        config: The config of a top-down model or of a classifier.

    Returns:
        ``inference`` and ``training``, each with ``params`` (trainable), ``macs_published`` and ``macs``.

    Raises:
        ConfigError: If the config names no input size, or a part refuses its values.
    """
    width, height = input_size(config)
    model = build_model(config.model)
    image = torch.zeros(1, 3, height, width)
    result = {}
    for name, training in (('inference', False), ('training', True)):
        published, macs = count_macs(model, image, training)
        result[name] = dict(params=count_parameters(model, training), macs_published=published, macs=macs)
    return result
