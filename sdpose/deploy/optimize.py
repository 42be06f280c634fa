"""A trained model as it is deployed: the same answers, without what only training needs.

Shapes: B batch, H and W the image size in pixels.
"""

import copy
from collections.abc import Iterator
from typing import Any

import torch
from mmengine.model import BaseModel
from torch import Tensor, nn

from sdpose.errors import ConfigError
from sdpose.models.transformers import MultiCycledTransformer

from .folding import fold_batch_norms
from .packing import pack_convolutions
from .single_pass import SinglePass

# What a fold may change, over the largest number of an output; float32 rounds to 1e-7 per operation.
_TOLERANCE = 1e-4


def optimize_for_inference(
    model: nn.Module, image_size: tuple[int, int] | None = None, every_cycle: bool = False
) -> nn.Module:
    """A copy of a model that predicts the same, faster, on a CPU; the model itself stays as it is.

    The copy is a model of the same class, so that ``test_step``, flip test, decoding and MMPose's
    ``inference_topdown`` work with it, and it returns what the model does in every mode but ``'loss'``. What is gone:
    cycles behind the deployed one, the visual tokens of the last layer, batch norms, distiller and losses. Maps are
    kept channels-last, and StemNet's ReLUs are computed inside its convolutions. An attention, a pruner or a neck of a
    user's own is run as it is. The copy cannot be trained.

    Args:
        model: A pose estimator or a classifier, on the CPU.
        image_size: (H, W) of the images; None takes it from the codec.
        every_cycle: Leave the token transformer as it is, with all its cycles.

    Returns:
        The optimized copy, in eval mode. Its inputs are preprocessed images (B, 3, H, W).

    Raises:
        ConfigError: If it is no such model, or no size is given and the model has no codec that says it.
    """
    deployed = deploy(model, image_size, open_attention=False, every_cycle=every_cycle)
    deployed = deployed.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
    pack_convolutions(deployed)
    return deployed


def deploy(
    model: nn.Module,
    image_size: tuple[int, int] | None = None,
    open_attention: bool = True,
    every_cycle: bool = False,
    whole: bool = False,
) -> nn.Module:
    """The copy that :func:`optimize_for_inference` starts from, in plain operators that every exporter knows.

    Args:
        model: A pose estimator or a classifier, on the CPU.
        image_size: As for :func:`optimize_for_inference`.
        open_attention: Compute softmax weights openly instead of by torch's fused attention.
        every_cycle: As for :func:`optimize_for_inference`.
        whole: Compute all tokens of the deployed pass, with which a further cycle begins (see :class:`SinglePass`).

    Raises:
        ConfigError: As for :func:`optimize_for_inference`.
    """
    if not isinstance(model, BaseModel) or not hasattr(model, 'head'):
        raise ConfigError(
            f'{type(model).__name__} is no pose estimator and no classifier: give a model of sdpose.init_model'
        )
    height, width = image_size or image_size_of(model)
    deployed = _without_training_parts(model)
    if type(neck := getattr(deployed, 'neck', None)) is MultiCycledTransformer and not every_cycle:
        deployed.neck = SinglePass(neck, open_attention, whole).eval()
    image = torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(0))
    folded = copy.deepcopy(deployed)
    fold_batch_norms(folded, lambda: folded(image, None, mode='tensor'))
    return folded if _same(deployed, folded, image) else deployed


def image_size_of(model: Any) -> tuple[int, int]:
    """(H, W) of the images that a model was built for.

    Raises:
        ConfigError: If nothing in the model says it.
    """
    size = getattr(getattr(model.head, 'decoder', None), 'input_size', None)
    if size is None and getattr(model, 'backbone', None) is None and hasattr(getattr(model, 'neck', None), 'tokenizer'):
        size = model.neck.tokenizer.feature_size  # the neck cuts the image itself
    if size is None:
        raise ConfigError(
            f'{type(model).__name__} has no codec that says how large its images are: give image_size, (height, width)'
        )
    return int(size[1]), int(size[0])


def numbers(output: Any) -> Iterator[Tensor]:
    """Every tensor of an output: a tensor, or tuples and lists of them, some None."""
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, (tuple, list)):
        for item in output:
            yield from numbers(item)


def _without_training_parts(model: Any) -> Any:
    """A copy in eval mode, on which nothing is differentiated, without distiller and losses."""
    heads = filter(None, (getattr(model, 'head', None),))
    parts = [getattr(model, 'distiller', None), *(getattr(head, 'loss_module', None) for head in heads)]
    # A copy asks the memo first: these parts, a teacher among them, become None and are not copied.
    deployed = copy.deepcopy(model, {id(part): None for part in parts if part is not None})
    return deployed.eval().requires_grad_(False)


def _same(before: nn.Module, after: nn.Module, image: Tensor) -> bool:
    """Whether two models answer an image (B, 3, H, W) alike, but for rounding."""
    with torch.no_grad():
        pairs = [*zip(*(numbers(model(image, None, mode='tensor')) for model in (before, after)))]
    return all((one - other).abs().max() <= _TOLERANCE * one.abs().max().clamp(min=1e-6) for one, other in pairs)
