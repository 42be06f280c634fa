"""Epochs of a training that MMEngine counts by iterations: to it that is one epoch, whose number stays 0."""

from typing import Any

from mmengine.runner import IterBasedTrainLoop, Runner

from sdpose.errors import ConfigError


def require_epochs(runner: Runner, hook: Any) -> None:
    """Refuse a training of iterations for a hook that acts at the beginning or the end of an epoch.

    Args:
        runner: The runner.
        hook: The hook, whose class is named.

    Raises:
        ConfigError: If so.
    """
    if isinstance(getattr(runner, 'train_loop', None), IterBasedTrainLoop):
        raise ConfigError(
            f'{type(hook).__name__} counts epochs, but train_cfg counts iterations (max_iters), which have none: set '
            'train_cfg.by_epoch=True and max_epochs, or leave the hook out'
        )


def require_length(runner: Runner, hook: Any) -> None:
    """Refuse a training that ends before a hook has come to its end, whatever the training counts.

    Args:
        runner: The runner.
        hook: The hook, with its ``needed_epochs``.

    Raises:
        ConfigError: If so.
    """
    length = length_in_epochs(runner)
    if length is not None and hook.needed_epochs > length:
        raise ConfigError(
            f'{type(hook).__name__} needs {hook.needed_epochs:g} epochs, but the training has {length:g}: it would not '
            'come to its end; give the hook fewer epochs, or the training more'
        )


def length_in_epochs(runner: Runner) -> float | None:
    """How many passes over its data a training takes, None if that is not known."""
    loop = getattr(runner, 'train_loop', None)
    if isinstance(loop, IterBasedTrainLoop):
        return loop.max_iters / len(loop.dataloader)
    return runner.max_epochs
