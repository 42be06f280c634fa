"""Stop when a loss is no longer a number, before anything broken is saved."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from sdpose.engine.pending_steps import PendingSteps, Step, is_read
from sdpose.errors import NonFiniteError


@HOOKS.register_module()
class FiniteLossHook(Hook):
    """Stop training at the first NaN or infinite loss term, and never save weights that hold one.

    No step waits for its terms: they are read on the steps on which the logger reads from the device anyway, and before
    anything is saved or validated, those of all steps since. The step that broke is named, whenever it is found.
    Weights are checked when they are about to be saved, which also catches a finite loss with a broken gradient in the
    last step, and a broken term on another process.
    """

    # Before LoggerHook (BELOW_NORMAL) and CheckpointHook (VERY_LOW).
    priority = 'HIGH'

    def __init__(self) -> None:
        self._pending = PendingSteps()

    def before_train(self, runner: Runner) -> None:
        """Begin anew."""
        self._pending = PendingSteps()

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict | None = None
    ) -> None:
        """Keep every logged term of this step, and check those of all steps where the logger reads this one.

        Raises:
            NonFiniteError: Naming the terms, the epoch and the step.
        """
        self._pending.add(runner, batch_idx, outputs)
        if is_read(runner, batch_idx):
            self.check()

    def after_train_epoch(self, runner: Runner) -> None:
        """Check what is left of an epoch, before it is saved or validated.

        Raises:
            NonFiniteError: As after a step.
        """
        self.check()

    def before_val_epoch(self, runner: Runner) -> None:
        """Check the steps before a validation, also one within an epoch.

        Raises:
            NonFiniteError: As after a step.
        """
        self.check()

    def after_train(self, runner: Runner) -> None:
        """Check the last steps of a training without epochs.

        Raises:
            NonFiniteError: As after a step.
        """
        self.check()

    def check(self) -> None:
        """Read the steps that were kept.

        Raises:
            NonFiniteError: Naming the terms, the epoch and the step of the first that broke.
        """
        for step in self._pending.take():
            if not all(map(math.isfinite, step.values.values())):
                raise NonFiniteError(_describe(step))

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Check the steps so far, and the weights that are about to be saved (they lie on the CPU already).

        Raises:
            NonFiniteError: As after a step, or naming the first broken weight.
        """
        self.check()
        broken = [
            name
            for name, value in checkpoint['state_dict'].items()
            if value.is_floating_point() and not torch.isfinite(value).all()
        ]
        if broken:
            raise NonFiniteError(
                f'training stopped at step {runner.iter + 1}: {len(broken)} weights are NaN or '
                f'infinite, the first is {broken[0]}. They were not saved; earlier checkpoints '
                'are intact. Resume from the last one with a lower learning rate.'
            )


def _describe(step: Step) -> str:
    """What broke in a step, and what to do."""
    broken = {name: value for name, value in step.values.items() if not math.isfinite(value)}
    # The total is broken by its terms; it is named only when it alone is (an overflow of the sum).
    causes = [name for name in broken if name != 'loss'] or ['loss']
    terms = ', '.join(f'{name} = {broken[name]}' for name in causes)
    finite = ', '.join(f'{name} = {value:.4g}' for name, value in step.values.items() if name not in broken)
    return (
        f'training stopped: {terms} at step {step.iter + 1} (epoch {step.epoch + 1}, batch {step.batch + 1})'
        f'{"; still finite: " + finite if finite else ""}. No checkpoint was written from this state. Resume '
        'from the last one with a lower learning rate, a longer warm-up or without --amp; if it stops again, look '
        'for a damaged image or annotation (NaN or huge numbers) in the training data.'
    )


@contextmanager
def name_broken_loss(runner: Runner) -> Iterator[None]:
    """Has a training that fails on NaN weights name the loss that broke before, and the step.

    Args:
        runner: The runner that trains.

    Raises:
        NonFiniteError: In the place of an error in a later step, if a loss has broken since values were read.
    """
    try:
        yield
    except Exception:
        for hook in runner.hooks:
            if isinstance(hook, FiniteLossHook):
                hook.check()
        raise
