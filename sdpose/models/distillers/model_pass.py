"""One pass of a top-down model over images, and the values in it that a distillation term can compare.

Shapes: B batch, C channels, H and W the size of a feature map.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from mmpose.models.heads import HeatmapHead
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from sdpose.errors import ConfigError

# Of the neck: its last tokens, and what its query tokens did in every layer.
TOKENS = ('query', 'visual', 'trace')
# A backbone returns several maps when its out_indices say so; without a number, the last of them.
BACKBONE = ('backbone', 'backbone0', 'backbone1', 'backbone2', 'backbone3')
HEAD = ('deconv', 'prediction')


class ModelPass(NamedTuple):
    """What a model computed before its head.

    Attributes:
        maps: the backbone's feature maps, each (B, C, H, W).
        feats: what the head reads: the maps themselves, or the neck's output.
    """

    maps: Sequence[Tensor]
    feats: Any


def run(model: nn.Module, images: Tensor, with_trace: bool = False) -> ModelPass:
    """Pass images (B, 3, H, W) through backbone and neck, as ``extract_feat`` does.

    Args:
        model: a pose estimator of MMPose's structure.
        images: the preprocessed images.
        with_trace: have a ``MultiCycledTransformer`` return its trace.

    Raises:
        ConfigError: if it has none to return.
    """
    backbone, neck = (getattr(model, part, None) for part in ('backbone', 'neck'))
    maps = (images,) if backbone is None else backbone(images)
    if with_trace and not hasattr(neck, 'tokenizer'):
        raise ConfigError('on="trace" needs a student and a teacher with a MultiCycledTransformer as neck')
    return ModelPass(maps, maps if neck is None else neck(maps, with_trace=True) if with_trace else neck(maps))


def values_of(done: ModelPass, head: nn.Module, names: Collection[str]) -> dict[str, Any]:
    """The named values of a pass; what is not named is not computed.

    Args:
        done: the pass.
        head: the model's head.
        names: of ``TOKENS`` (of a :class:`~sdpose.structures.CycleTokens`), ``BACKBONE`` and ``HEAD``.

    Raises:
        ConfigError: if the model has no such value.
    """
    tokens = [name for name in TOKENS if name in names]
    if tokens and not hasattr(done.feats, 'output'):
        raise ConfigError(f'on="{tokens[0]}" needs a student and a teacher with a MultiCycledTransformer as neck')
    values = {name: getattr(done.feats.output, name) for name in tokens}
    values.update({name: _map(done.maps, name) for name in BACKBONE if name in names})
    if 'deconv' in names:
        if getattr(type(head), 'forward', None) is not HeatmapHead.forward:
            raise ConfigError(
                f'on="deconv" needs the HeatmapHead of MMPose in student and teacher, not '
                f'{type(head).__name__}: compare on="backbone" or "prediction" instead'
            )
        values['deconv'] = head.deconv_layers(done.feats[-1])
        if 'prediction' in names:
            values['prediction'] = head.final_layer(head.conv_layers(values['deconv']))
    elif 'prediction' in names:
        values['prediction'] = head.forward(done.feats)
    return values


def _map(maps: Sequence[Tensor], name: str) -> Tensor:
    number = int(name[len('backbone') :] or len(maps) - 1)
    if number >= len(maps):
        raise ConfigError(
            f'on="{name}" asks for map {number}, counted from 0, but the backbone returns {len(maps)}: '
            'set backbone.out_indices in the configs of student and teacher'
        )
    return maps[number]


@contextmanager
def kept_statistics(head: nn.Module) -> Iterator[None]:
    """Let a head run a second time in a training step without counting the batch twice in its batch norms."""
    norms = [(module, module.momentum) for module in head.modules() if isinstance(module, _BatchNorm)]
    for module, _ in norms:
        module.momentum = 0.0
    try:
        yield
    finally:
        for module, momentum in norms:
            module.momentum = momentum
