"""Batch norms in eval mode are affine, so they vanish into the convolutions before them.

Shapes: B batch, C channels, H and W the size of a map.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.fusion import fuse_conv_bn_weights

Convolution = nn.Conv2d | nn.ConvTranspose2d


def fold_batch_norms(model: nn.Module, run: Callable[[], Any]) -> int:
    """Fold every batch norm into the convolution whose output it gets, in place; the norm becomes an identity.

    Which convolution stands before which norm is seen in one pass, not guessed from names: a pair is folded if each of
    the two is called once and no other module reads what is between them.

    Args:
        model: A model in eval mode, which the pass of ``run`` goes through.
        run: Computes one pass.

    Returns:
        The number of norms that are gone.
    """
    pairs = _pairs(model, run)
    names = {module: name for name, module in model.named_modules()}
    for norm, convolution in pairs.items():
        _fold(convolution, norm)
        parent, _, child = names[norm].rpartition('.')
        setattr(model.get_submodule(parent), child, nn.Identity())
    return len(pairs)


def _pairs(model: nn.Module, run: Callable[[], Any]) -> dict[_BatchNorm, Convolution]:
    """Norms by the convolutions before them."""
    made: list[tuple[Convolution, Tensor]] = []  # holds the tensors, so that none takes another's place
    readers: list[tuple[nn.Module, Tensor]] = []

    def after(module: Any, inputs: Any, output: Tensor) -> None:
        made.append((module, output))

    def before(module: nn.Module, inputs: tuple[Any, ...]) -> None:
        readers.extend((module, value) for value in inputs if isinstance(value, Tensor))

    leaves = [module for module in model.modules() if not any(module.children())]
    hooks = [leaf.register_forward_pre_hook(before) for leaf in leaves]
    hooks += [leaf.register_forward_hook(after) for leaf in leaves if isinstance(leaf, Convolution)]
    try:
        with torch.no_grad():
            run()
    finally:
        for hook in hooks:
            hook.remove()
    calls = Counter(module for module, _ in readers)
    read_by: dict[int, list[nn.Module]] = {}
    for module, value in readers:
        read_by.setdefault(id(value), []).append(module)
    pairs = {}
    for convolution, output in made:
        norm = read_by.get(id(output), [None])[0]
        alone = len(read_by.get(id(output), ())) == 1 and calls[convolution] == 1
        if alone and isinstance(norm, _BatchNorm) and calls[norm] == 1 and norm.running_mean is not None:
            pairs[norm] = convolution
    return pairs


def _fold(convolution: Convolution, norm: Any) -> None:
    """Give a convolution the weights and the bias that make the norm behind it an identity."""
    weight, bias = fuse_conv_bn_weights(
        convolution.weight,
        convolution.bias,
        norm.running_mean,
        norm.running_var,
        norm.eps,
        norm.weight,
        norm.bias,
        transpose=isinstance(convolution, nn.ConvTranspose2d),
    )
    convolution.weight, convolution.bias = weight, bias
