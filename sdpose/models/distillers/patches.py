"""Whether two values are of the same patches, which pruning changes."""

from collections.abc import Collection, Iterable
from typing import Any

from sdpose.errors import ConfigError
from sdpose.models.cycle_adapters import CycleRestart
from sdpose.models.transformers import MultiCycledTransformer

BY_PATCH = ('visual', 'visual_content')  # values that have a row for each patch


def by_patch(on: Collection[str]) -> str | None:
    """The first of some values' names that is compared patch by patch, None if there is none."""
    return next((name for name in BY_PATCH if name in on), None)


def prunes(model: Any, cycles: Iterable[int]) -> bool:
    """Whether a model leaves out patches in one of these cycles, from 1, once its keep ratio is in force."""
    pruner = getattr(getattr(model, 'neck', None), 'pruner', None)
    return pruner is not None and pruner.keep_ratio < 1 and any(map(pruner.prunes_in, cycles))


def deployed_cycles(model: Any) -> range:
    """The cycles, from 1, behind the deployed prediction of a model with tokens."""
    return range(1, getattr(getattr(model, 'neck', None), 'test_cycles', 1) + 1)


def require_one_choice(student: Any, on: Collection[str]) -> None:
    """Refuse to compare the patches of two cycles that keep different ones; called when training starts.

    With a keep ratio that is annealed, it would go well until pruning begins. A model that predicts compares nothing.

    Args:
        student: A model whose cycles are compared with each other.
        on: What is compared.

    Raises:
        ConfigError: If so.
    """
    adapters = getattr(student.neck, 'cycle_adapter', None) or ()
    restarts = any(isinstance(each, CycleRestart) for each in adapters)
    differ = prunes(student, (1,)) if restarts else prunes(student, range(2, student.neck.num_cycles + 1))
    name = by_patch(on)
    if differ and name is not None:
        cure = 'leave CycleRestart out' if restarts else 'set model.neck.pruner.cycles to [1], on whose patches all run'
        raise ConfigError(
            f'a distillation term compares on={name!r}, but the cycles keep different patches: set that term to None, '
            f'or {cure}'
        )


def require_all_patches(student: Any, on: Collection[str]) -> None:
    """Refuse to compare the patches that a student has left with a teacher's; called when training starts.

    Args:
        student: The student.
        on: What is compared.

    Raises:
        ConfigError: If so.
    """
    name = by_patch(on)
    if name is not None and prunes(student, deployed_cycles(student)):
        raise ConfigError(
            f'a distillation term compares on={name!r}, but the student prunes, and has other patches than its '
            'teacher: set that term to None, or model.neck.pruner'
        )


def require_same_grid(student: Any, teacher: Any, config: str) -> None:
    """Refuse a teacher whose patches cannot be compared with the student's one by one.

    Args:
        student: A model with a ``MultiCycledTransformer``.
        teacher: The other one, with one as well.
        config: The name of the teacher's config.

    Raises:
        ConfigError: If it prunes, or cuts the image otherwise.
    """
    terms = f'a term on {" or ".join(BY_PATCH)}'
    if prunes(teacher, deployed_cycles(teacher)):
        raise ConfigError(
            f'the teacher {config} prunes, and has other patches than the student: {terms} compares them one by one; '
            'set it to None, or take a teacher without a pruner'
        )
    necks = [model.neck for model in (student, teacher)]
    ours, theirs = (neck.tokenizer.grid_size if isinstance(neck, MultiCycledTransformer) else None for neck in necks)
    if ours != theirs:  # as many patches of another shape would be compared without a word
        raise ConfigError(
            f'the teacher {config} has {_size(theirs)} patches, the student {_size(ours)}: {terms} compares them one '
            'by one; set it to None, or take a teacher of the same patches'
        )


def _size(grid: tuple[int, int] | None) -> str:
    return 'no' if grid is None else f'{grid[0]}x{grid[1]}'
