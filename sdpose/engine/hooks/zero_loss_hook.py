"""Say so when a loss is exactly 0 over an epoch: nothing is learned then, and no line of the log is odd."""

from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from sdpose.compat.distributed import reduce_over_hosts
from sdpose.engine.pending_steps import PendingSteps, is_read

# What heads call the losses of their predictions; a distiller's terms may be 0 where its models agree.
_POSE = 'loss_kpt'
_TOTAL = 'loss'


@HOOKS.register_module()
class ZeroLossHook(Hook):
    """Warn, once in a run for each, of a pose loss (or of the whole loss) that was exactly 0 in every step of an epoch.

    Joints without weight do that: unlabelled ones, or all of them outside of the crops, as with boxes or joints in
    fractions. The terms are read on the logger's steps and at the end of an epoch, so that no other step waits for the
    device. Without epochs, as many steps count as the data have batches.
    """

    priority = 'NORMAL'

    def __init__(self) -> None:
        self._said: set[str] = set()
        self._steps = 0
        self._not_zero: dict[str, bool] = {}
        self._pending = PendingSteps(_counts)

    def before_train(self, runner: Runner) -> None:
        """Start counting."""
        self._steps, self._not_zero, self._pending = 0, {}, PendingSteps(_counts)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict | None = None
    ) -> None:
        """Look at this step's terms, and warn after the last of an epoch's steps."""
        self._pending.add(runner, batch_idx, outputs)
        self._steps += 1
        is_last = self._steps >= len(runner.train_dataloader)
        if is_last or is_read(runner, batch_idx):
            for step in self._pending.take():
                for name, value in step.values.items():
                    self._not_zero[name] = self._not_zero.get(name, False) or value != 0
        if is_last:
            self._warn(runner)
            self.before_train(runner)

    def after_train_epoch(self, runner: Runner) -> None:
        """Begin anew, after an epoch that was resumed within."""
        self.before_train(runner)

    def _warn(self, runner: Runner) -> None:
        names = sorted(self._not_zero)
        if not names:
            return
        found = torch.tensor([self._not_zero[name] for name in names], dtype=torch.uint8)
        if runner.world_size > 1:  # the part of a batch that another process has may have weight
            reduce_over_hosts(found)
        zero = {name for name, not_zero in zip(names, found.tolist()) if not not_zero} - self._said
        self._said |= zero
        # The total is 0 where its terms are; it is named where it stands for all of them.
        named = sorted(zero - {_TOTAL}) or sorted(zero)
        if named:
            runner.logger.warning(
                f'{", ".join(named)} was exactly 0 in each of {self._steps} steps: nothing is learned from it. Every '
                'joint had weight 0: look in the training annotations for visibility 0 throughout, and for boxes or '
                'joints in fractions or of other pictures, and in the config for joint_weights and loss_weight of 0'
            )


def _counts(name: str) -> bool:
    return name == _TOTAL or name.startswith(_POSE)
