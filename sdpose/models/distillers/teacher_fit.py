"""Whether a teacher sees its student's images as it was trained to, and knows the same joints."""

from typing import NamedTuple

from torch import nn

from sdpose.errors import ConfigError


class ModelFacts(NamedTuple):
    """What two models must share for one to teach the other.

    Attributes:
        mean: subtracted from the images, per channel; empty if they are not normalized.
        std: what the images are divided by.
        swaps_channels: whether blue and red change places first.
        num_joints: None if the model does not say it.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    swaps_channels: bool
    num_joints: int | None


def facts_of(model: nn.Module) -> ModelFacts:
    """Read the facts of a built model of MMPose's structure."""
    images = model.data_preprocessor
    normalizes = getattr(images, '_enable_normalize', False)
    mean, std = (
        [round(value, 4) for value in getattr(images, name).flatten().tolist()] if normalizes else []
        for name in ('mean', 'std')
    )
    return ModelFacts(tuple(mean), tuple(std), getattr(images, '_channel_conversion', False), _num_joints(model))


def _num_joints(model: nn.Module) -> int | None:
    if hasattr(getattr(model, 'neck', None), 'tokenizer'):
        return model.neck.tokenizer.num_queries
    for name in ('out_channels', 'num_joints'):  # of MMPose's heads for heatmaps and for coordinates
        if isinstance(number := getattr(model.head, name, None), int):
            return number
    return None


def require_fit(student: ModelFacts, teacher: ModelFacts, config: str) -> None:
    """Refuse a teacher that would misread the student's images, which no shape gives away, or has other joints.

    Args:
        student: facts of the student.
        teacher: facts of the teacher.
        config: the name of the teacher's config.

    Raises:
        ConfigError: naming what differs.
    """
    if None not in (student.num_joints, teacher.num_joints) and student.num_joints != teacher.num_joints:
        raise ConfigError(
            f'the teacher {config} has {teacher.num_joints} joints and the student {student.num_joints}: '
            'choose a teacher of the same data set (model.distiller.teacher)'
        )
    if student[:3] != teacher[:3]:
        raise ConfigError(
            f"the teacher {config} expects images of {_words(teacher)}, but the student's, which it is "
            f'shown, have {_words(student)}: give model.data_preprocessor of the student the same values'
        )


def require_same_tokens(student: nn.Module, teacher: nn.Module, config: str) -> None:
    """Refuse a teacher whose layers and patches are not those of the student.

    Args:
        student: a model with a ``MultiCycledTransformer``.
        teacher: the other one.
        config: the name of the teacher's config.

    Raises:
        ConfigError: if so.
    """
    if not hasattr(getattr(teacher, 'neck', None), 'tokenizer'):
        raise ConfigError(
            f'the teacher {config} has no patches to choose: prune_by_teacher needs a '
            'MultiCycledTransformer, set it to False or take another teacher'
        )
    (ours, depth), (theirs, other) = (
        (model.neck.tokenizer.grid_size, len(model.neck.layers)) for model in (student, teacher)
    )
    if (ours, depth) != (theirs, other):
        raise ConfigError(
            f'the teacher {config} has {other} layers and {theirs[0]}x{theirs[1]} patches, the student '
            f'{depth} and {ours[0]}x{ours[1]}: for prune_by_teacher they must be the same'
        )


def _words(facts: ModelFacts) -> str:
    if not facts.mean:
        return 'no normalization'
    return f'mean={list(facts.mean)}, std={list(facts.std)}, bgr_to_rgb={facts.swaps_channels}'
