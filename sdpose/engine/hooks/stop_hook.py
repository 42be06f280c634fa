"""A training ends by a signal with a checkpoint of its last finished step."""

from typing import Any

import torch
from mmengine.device import get_device
from mmengine.hooks import EMAHook, Hook, SyncBuffersHook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from sdpose.compat.distributed import reduce_over_hosts
from sdpose.engine.stopping import enter_training, leave_training, received
from sdpose.errors import Stopped

from .resumable_checkpoint_hook import ResumableCheckpointHook


@HOOKS.register_module()
class StopHook(Hook):
    """Where SIGTERM or SIGHUP asked for the end (:func:`sdpose.engine.stopping.stoppable`), save and raise ``Stopped``.

    The step, or the accumulation of several, is finished first, and all processes end at the same one. During a
    validation the weights are those of a finished epoch: they are saved if they are not yet, and the validation is made
    up when the training is resumed.
    """

    # After the checkpoint of this step, if it has one.
    priority = 'LOWEST'

    def __init__(self) -> None:
        # Asking the other processes makes none of them wait for its GPU, but for the slowest process.
        self._every = 1 if get_device() == 'cpu' else 10
        self._number = 0

    def before_train(self, runner: Runner) -> None:
        """From here on there is something to save."""
        enter_training()

    def after_train(self, runner: Runner) -> None:
        """All is saved."""
        leave_training()

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict | None = None
    ) -> None:
        """End the training after this step, if any process was asked to.

        Raises:
            Stopped: If so.
        """
        if not self._number and (runner.iter + 1) % self._every == 0:
            self._number = _largest(received(), runner)
        if not self._number or not runner.optim_wrapper.should_update():
            return
        for hook in runner.hooks:
            if isinstance(hook, SyncBuffersHook):  # as at the end of an epoch; the mean of means is the same mean
                hook.after_train_epoch(runner)
        raise Stopped(self._number, _save(runner, runner.iter + 1))

    def after_val_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """End the training between two of its steps.

        The first process decides: the others may have another number of steps, and end when it does. If it has ended
        its part, all end with the next step of training.

        Raises:
            Stopped: If the first process was asked to.
        """
        if not received() or runner.rank:
            return
        for hook in runner.hooks:
            if isinstance(hook, EMAHook):  # has lent the model its averages for the validation
                hook.after_val_epoch(runner)
        raise Stopped(received(), _save(runner, runner.iter))


def _save(runner: Runner, done: int) -> str | None:
    hook = next((hook for hook in runner.hooks if isinstance(hook, ResumableCheckpointHook)), None)
    return hook.save_stopped(runner, done) if hook is not None and done else None


def _largest(number: int, runner: Runner) -> int:
    """The largest of all processes' numbers."""
    if runner.world_size == 1:
        return number
    value = torch.tensor(number)
    reduce_over_hosts(value)
    return int(value)
