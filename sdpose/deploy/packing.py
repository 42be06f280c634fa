"""Convolutions that compute the ReLU, and the residual, behind them: a map is not read and written once more for each.

Only StemNet, whose maps are large and few: the many small ones of a ResNet or an HRNet were no faster. Linears stay as
they are (``FastLinear``): packed for MKL or oneDNN, or with the GELU inside, they were not faster either.

Shapes: B batch, C channels, H and W the size of a map.
"""

from collections.abc import Sequence
from typing import Any

import torch
from mmpose.models.backbones.resnet import Bottleneck
from torch import Tensor, nn
from torch.nn import functional as F

from sdpose.models.backbones import StemNet


def pack_convolutions(model: nn.Module) -> None:
    """Let StemNets compute their ReLUs in their convolutions, in place.

    Args:
        model: A model in eval mode on the CPU whose batch norms are folded; anything unknown stays as it is.
    """
    stems: list[Any] = [module for module in model.modules() if type(module) is StemNet]
    for stem in stems:
        if _is_folded(stem, ('conv1', 'conv2'), ('bn1', 'bn2')):
            stem.conv1, stem.conv2, stem.relu = ActiveConv(stem.conv1), ActiveConv(stem.conv2), nn.Identity()
        for name, block in list(stem.layer1.named_children()):
            if type(block) is Bottleneck and _is_folded(block, PackedBlock.CONVS, ('norm1', 'norm2', 'norm3')):
                setattr(stem.layer1, name, PackedBlock(block))


class ActiveConv(nn.Module):
    """A convolution with a ReLU, and before it a residual, as one operation of oneDNN where torch has it.

    Args:
        conv: The convolution, with zero padding of numbers.
    """

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.weight, self.bias = conv.weight, conv.bias
        self.geometry: tuple[Any, ...] = (conv.stride, conv.padding, conv.dilation, conv.groups)

    def forward(self, x: Tensor, residual: Tensor | None = None) -> Tensor:
        """``relu(conv(x) + residual)``, (B, C, H, W).

        Args:
            x: The map, (B, C', H', W').
            residual: What is added, (B, C, H, W).
        """
        stride, padding, dilation, groups = self.geometry
        plain = x.device.type == 'cpu' and x.dtype == torch.float32 and not torch.is_autocast_enabled('cpu')
        if not (plain and torch.backends.mkldnn.is_available()):  # autocast does not know oneDNN's operations
            out = F.conv2d(x, self.weight, self.bias, stride, padding, dilation, groups)
            return (out if residual is None else out + residual).relu_()
        ops = torch.ops.mkldnn
        shape = (self.bias, padding, stride, dilation, groups)
        if residual is None:
            return ops._convolution_pointwise(x, self.weight, *shape, 'relu', [], '')
        return ops._convolution_pointwise.binary(x, residual, self.weight, *shape, 'add', 1.0, 'relu', [], '')


class PackedBlock(nn.Module):
    """A ``Bottleneck`` of MMPose whose norms are folded.

    Args:
        block: The block; its convolutions are taken over.
    """

    CONVS = ('conv1', 'conv2', 'conv3')

    def __init__(self, block: Any) -> None:
        super().__init__()
        self.convs = nn.ModuleList(ActiveConv(getattr(block, name)) for name in self.CONVS)
        self.downsample = block.downsample

    def forward(self, x: Tensor) -> Tensor:
        """The block's map (B, C, H, W)."""
        residual = x if self.downsample is None else self.downsample(x)
        *first, last = self.convs
        for conv in first:
            x = conv(x)
        return last(x, residual)


def _is_folded(module: Any, convs: Sequence[str], norms: Sequence[str]) -> bool:
    """Whether a module's norms are identities and its convolutions plain ones with a bias."""
    return all(isinstance(getattr(module, name), nn.Identity) for name in norms) and all(
        type(conv) is nn.Conv2d and conv.bias is not None and conv.padding_mode == 'zeros'
        for conv in (getattr(module, name) for name in convs)
    )
