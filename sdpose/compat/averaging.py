"""Averaged weights beside several processes, and beside several batches of a step."""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from mmengine.dist import all_reduce_params
from mmengine.hooks import EMAHook, SyncBuffersHook
from mmengine.model import BaseAveragedModel
from mmengine.runner import Runner

_MARK = '_sdpose_compat'


def sync_averaged_buffers() -> None:
    """Let ``SyncBuffersHook`` average the buffers of copies of the model over processes, too.

    Seen: MMEngine 0.10.7 does so with the model's own, such as the running statistics of batch norm, but not with those
    of the copy that ``EMAHook`` keeps. That one is validated and saved in the model's place: every process validated
    another model, and the checkpoint had the statistics of the first one's images alone.
    """
    if hasattr(SyncBuffersHook, _MARK):
        return
    for name in ('after_train_epoch', 'before_val_epoch'):
        setattr(SyncBuffersHook, name, _with_copies(getattr(SyncBuffersHook, name)))
    setattr(SyncBuffersHook, _MARK, True)


def average_steps() -> None:
    """Let ``EMAHook`` average the weights once for each step of the optimizer.

    Seen: MMEngine 0.10.7 does so after each batch. Where ``accumulative_counts`` adds up several to one step, the same
    weights are averaged as often, and the average remembers so many times fewer steps than its momentum says.
    """
    original = EMAHook.after_train_iter
    if hasattr(original, _MARK):
        return

    @wraps(original)
    def after_train_iter(self: EMAHook, runner: Runner, *args: Any, **kwargs: Any) -> None:
        if runner.optim_wrapper.should_update():
            original(self, runner, *args, **kwargs)

    setattr(after_train_iter, _MARK, True)
    EMAHook.after_train_iter = after_train_iter


def _with_copies(original: Callable) -> Callable:

    @wraps(original)
    def sync(self: SyncBuffersHook, runner: Runner, *args: Any, **kwargs: Any) -> None:
        # Before a validation the hook does nothing if an epoch has ended before it.
        is_due = self.distributed and not (original.__name__ == 'before_val_epoch' and self.called_in_train)
        original(self, runner, *args, **kwargs)
        for copied in _averaged_copies(runner) if is_due else ():
            all_reduce_params(copied.module.buffers(), op='mean')

    return sync


def _averaged_copies(runner: Runner) -> Iterator[BaseAveragedModel]:
    """Those that the runner's hooks keep, in one order in all processes."""
    for hook in runner.hooks:
        yield from (value for value in vars(hook).values() if isinstance(value, BaseAveragedModel))
