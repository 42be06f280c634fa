"""How a model expects its images, and what else it must share with the model it teaches.

Shapes: B batch, H and W the image size.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from sdpose.errors import ConfigError
from sdpose.models.transformers import MultiCycledTransformer


class InputSpec(NamedTuple):
    """How images are normalized.

    Attributes:
        mean: Subtracted, per channel; none if the images are taken as they are.
        std: What they are divided by.
        swaps_channels: Whether blue and red change places first.
    """

    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    swaps_channels: bool = False

    def convert(self, images: Tensor, other: 'InputSpec') -> Tensor:
        """Images (B, 3, H, W) of this normalization in another one; the same ones as they are."""
        if self == other:
            return images
        if self.mean:
            images = images * _per_channel(images, self.std) + _per_channel(images, self.mean)
        if self.swaps_channels != other.swaps_channels:
            images = images.flip(1)
        if other.mean:
            images = (images - _per_channel(images, other.mean)) / _per_channel(images, other.std)
        return images

    def __str__(self) -> str:
        if not self.mean:
            return f'no normalization, bgr_to_rgb={self.swaps_channels}'
        return f'mean={list(self.mean)}, std={list(self.std)}, bgr_to_rgb={self.swaps_channels}'


def _per_channel(images: Tensor, values: tuple[float, ...]) -> Tensor:
    # Filled, not copied from the host, for which it would wait.
    return torch.stack([images.new_full((1, 1), value) for value in values])  # (3, 1, 1)


def input_spec(model: Any) -> InputSpec:
    """The normalization of a built model of MMPose's structure."""
    images = model.data_preprocessor
    swaps = getattr(images, '_channel_conversion', False)
    if not getattr(images, '_enable_normalize', False):
        return InputSpec(swaps_channels=swaps)
    mean, std = (tuple(round(value, 4) for value in values.flatten().tolist()) for values in (images.mean, images.std))
    return InputSpec(mean, std, swaps)


def _num_joints(model: Any) -> int | None:
    """How many joints a model predicts, None if it does not say."""
    if isinstance(getattr(model, 'neck', None), MultiCycledTransformer):
        return model.neck.tokenizer.num_queries
    for name in ('out_channels', 'num_joints'):  # of MMPose's heads for heatmaps and for coordinates
        if isinstance(number := getattr(model.head, name, None), int):
            return number
    return None


def require_same_joints(student: nn.Module, teacher: nn.Module, config: str) -> None:
    """Refuse a teacher of other joints, which broadcasting may not give away.

    Args:
        student: The student.
        teacher: The teacher.
        config: The name of the teacher's config.

    Raises:
        ConfigError: Naming both numbers.
    """
    ours, theirs = _num_joints(student), _num_joints(teacher)
    if None not in (ours, theirs) and ours != theirs:  # a term on features would not notice
        raise ConfigError(
            f'the teacher {config} has {theirs} joints and the student {ours}: '
            'choose a teacher of the same data set (model.distiller.teacher)'
        )


def require_same_patches(student: Any, teacher: Any, config: str) -> None:
    """Refuse a teacher whose layers and patches are not those of the student.

    Args:
        student: A model with a ``MultiCycledTransformer``.
        teacher: The other one.
        config: The name of the teacher's config.

    Raises:
        ConfigError: If so.
    """
    if not isinstance(getattr(teacher, 'neck', None), MultiCycledTransformer):
        raise ConfigError(
            f'the teacher {config} has no patches to choose: prune_by_teacher needs a '
            'MultiCycledTransformer, set it to False or take another teacher'
        )
    (ours, depth), (theirs, other) = (
        (model.neck.tokenizer.grid_size, len(model.neck.layers)) for model in (student, teacher)
    )
    if (ours, depth) != (theirs, other):  # an index of one grid means another patch in the other
        raise ConfigError(
            f'the teacher {config} has {other} layers and {theirs[0]}x{theirs[1]} patches, the student '
            f'{depth} and {ours[0]}x{ours[1]}: for prune_by_teacher they must be the same'
        )
