"""One pass of a model over images: backbone, neck and head, each computed once whatever reads it.

Shapes: B batch, C channels, H and W the size of a feature map.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from mmpose.models.heads import HeatmapHead
from torch import Tensor

from sdpose.errors import ConfigError
from sdpose.structures import CycleTokens, TokenSet

from .heads import CycleHead
from .heads.mmpose_heads import computes_accuracy_on_host, losses_on_device, with_forward_of
from .transformers import MultiCycledTransformer


def extract_features(model: Any, images: Tensor, **options: Any) -> tuple[Sequence[Tensor], Any]:
    """The backbone's maps, each (B, C, H, W), and what the head reads: the maps themselves, or the neck's output.

    Args:
        model: A model of MMPose's structure; without a backbone the neck gets the images.
        images: The preprocessed images, (B, 3, H, W).
        **options: Of :meth:`MultiCycledTransformer.forward`, for a model that has one.
    """
    backbone, neck = (getattr(model, part, None) for part in ('backbone', 'neck'))
    maps = (images,) if backbone is None else backbone(images)
    return maps, maps if neck is None else neck(maps, **options)


def run_model(
    model: Any, images: Tensor, trace: bool = False, scores: Sequence[Tensor] | None = None, cycles: int | None = None
) -> 'ModelOutputs':
    """Pass images (B, 3, H, W) through backbone and neck.

    Args:
        model: A model of MMPose's structure.
        images: The preprocessed images.
        trace: Whether the neck is to say what happened in every layer.
        scores: What every patch is worth in each layer, for a student whose teacher prunes.
        cycles: As for ``MultiCycledTransformer``, for a model that has one.

    Raises:
        ConfigError: If a trace is asked of a model without a ``MultiCycledTransformer``.
    """
    options: dict[str, Any] = {}
    if trace or scores is not None:
        if not isinstance(getattr(model, 'neck', None), MultiCycledTransformer):
            raise ConfigError('on="trace" needs a student and a teacher with a MultiCycledTransformer as neck')
        options = dict(trace='queries' if trace else None, scores=scores)
    if cycles is not None:
        options['cycles'] = cycles
    return ModelOutputs(model.head, *extract_features(model, images, **options))


class ModelOutputs:
    """What a model has made of a batch of images; what its head makes of that is computed when it is read, once.

    Args:
        head: The model's head.
        maps: The backbone's maps, each (B, C, H, W).
        feats: What the head reads.
    """

    def __init__(self, head: Any, maps: Sequence[Tensor], feats: Any) -> None:
        self.head = head
        self.maps = maps
        self.feats = feats

    @property
    def cycles(self) -> int:
        """How many predictions there are: one per cycle of a token model, else one."""
        return len(self.feats.cycles) if isinstance(self.feats, CycleTokens) else 1

    @property
    def fixed(self) -> range:
        """The 0-based cycles without gradient, which learn nothing."""
        return self.feats.fixed if isinstance(self.feats, CycleTokens) else range(0)

    @property
    def deployed(self) -> int:
        """The 0-based cycle of the deployed prediction."""
        return self.feats.deployed if isinstance(self.feats, CycleTokens) else 0

    def tokens(self, cycle: int) -> TokenSet:
        """The tokens behind a cycle.

        Raises:
            ConfigError: If the model has no tokens.
        """
        if not isinstance(self.feats, CycleTokens):
            raise ConfigError('comparing tokens needs a student and a teacher with a MultiCycledTransformer as neck')
        return self.feats.cycles[cycle]

    def map(self, number: int | None) -> Tensor:
        """One of the backbone's maps, counted from 0; the last one for None.

        Raises:
            ConfigError: If the backbone does not return it.
        """
        if number is not None and number >= len(self.maps):  # an IndexError names no key
            raise ConfigError(
                f'on="backbone{number}" asks for map {number}, counted from 0, but the backbone returns '
                f'{len(self.maps)}: set backbone.out_indices in the configs of student and teacher'
            )
        return self.maps[-1 if number is None else number]

    @cached_property
    def deconv(self) -> Tensor:
        """The map behind the last deconvolution of MMPose's ``HeatmapHead``, (B, C, H, W).

        Raises:
            ConfigError: If the head is another.
        """
        if not _is_heatmap_head(self.head):
            raise ConfigError(
                f'on="deconv" needs the HeatmapHead of MMPose in student and teacher, not '
                f'{type(self.head).__name__}: compare on="backbone" or "prediction" instead'
            )
        return self.head.deconv_layers(self.feats[-1])

    @cached_property
    def raw(self) -> dict[int, Any]:
        """What the head computes for every cycle, before a :class:`CycleHead` activates it."""
        if isinstance(self.head, CycleHead):
            return self.head.cycle_outputs(self.feats, range(self.cycles))
        if _is_heatmap_head(self.head):
            return {0: self.head.final_layer(self.head.conv_layers(self.deconv))}
        return {0: self.head.forward(self.feats)}

    def prediction(self, cycle: int) -> Any:
        """What the head returns for a cycle."""
        return self.head.activate(self.raw[cycle]) if isinstance(self.head, CycleHead) else self.raw[cycle]

    def losses(self, data_samples: Sequence, train_cfg: dict, shared: bool = False) -> dict[str, Tensor]:
        """The head's own losses and accuracy.

        Args:
            data_samples: One data sample per image.
            train_cfg: Options of training that the head reads.
            shared: Whether something else reads what the head computes, too, so that it is kept.
        """
        if isinstance(self.head, CycleHead):
            raw = self.raw if shared else self.head.cycle_outputs(self.feats)
            return self.head.losses(raw, self.feats, data_samples, train_cfg)
        if computes_accuracy_on_host(self.head):
            return losses_on_device(self.head, self.raw[0], data_samples, train_cfg)
        head = with_forward_of(self.head, self.raw[0]) if shared else self.head
        return head.loss(self.feats, data_samples, train_cfg=train_cfg)


def _is_heatmap_head(head: Any) -> bool:
    """Whether a head's forward pass is that of MMPose's ``HeatmapHead``: deconvolutions, convolutions, final layer."""
    return getattr(type(head), 'forward', None) is HeatmapHead.forward
