"""Say at the start of a training how much each term contributes to its loss."""

from collections.abc import Iterable
from typing import Any

from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from sdpose.engine.loss_shares import loss_shares, loss_terms
from sdpose.engine.pending_steps import PendingSteps, is_read


@HOOKS.register_module()
class LossShareHook(Hook):
    """Log one line with every term's share of the loss over the first steps of a run, for any model.

    A weight that is wrong by orders of magnitude shows here before days are spent. The terms are read on the logger's
    steps, so that no other one waits for the device: the line comes with the first of them that has all. A resumed run
    says it again, for its own first steps, and forgets the terms that it no longer has: MMEngine restores their last
    values and would log them for ever. The shares later on are in every line of the log
    (:class:`sdpose.engine.log_processors.LossLogProcessor`).

    Args:
        steps: Over how many steps, or all of a shorter training.

    Raises:
        ValueError: If ``steps`` is not positive.
    """

    # After FiniteLossHook (HIGH), before LoggerHook (BELOW_NORMAL).
    priority = 'NORMAL'

    def __init__(self, steps: int = 50) -> None:
        if steps < 1:
            raise ValueError(f'steps must be at least 1, got {steps}')
        self.steps = steps
        self._begin()

    def _begin(self) -> None:
        self._sums: dict[str, float] = {}
        self._count = 0  # steps that are in the sums
        self._seen = 0
        self._last = 0  # of the steps in the sums, counted from 1
        self._pending = PendingSteps()

    def before_train(self, runner: Runner) -> None:
        """Start counting."""
        self._begin()

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict | None = None
    ) -> None:
        """Keep this step's terms; those of the first steps are added, and reported, when the logger reads."""
        if self._seen < self.steps:
            self._pending.add(runner, batch_idx, outputs)
            self._seen += 1
        if len(self._pending) and is_read(runner, batch_idx):
            self._add(runner)
            if self._count == self.steps:
                self._report(runner)

    def after_train(self, runner: Runner) -> None:
        """Report on a training that was shorter, or never logged."""
        if len(self._pending):
            self._add(runner)
            self._report(runner)
        elif 0 < self._count < self.steps:
            self._report(runner)

    def _add(self, runner: Runner) -> None:
        """Read the terms of the steps that are kept."""
        steps = list(self._pending.take())
        names = {name for step in steps for name in step.values}  # a step of fewer cycles lacks some
        if self._count == 0 and names:
            _forget_absent(runner.message_hub.log_scalars, names)
        for step in steps:
            for name in loss_terms(step.values):
                self._sums[name] = self._sums.get(name, 0.0) + step.values[name]
            self._count += 1
            self._last = step.iter + 1

    def _report(self, runner: Runner) -> None:
        shares = loss_shares({name: value / self._count for name, value in self._sums.items()})
        if shares:
            parts = ', '.join(f'{name} {_percent(share)}' for name, share in shares.items())
            runner.logger.info(f'share of the loss, steps {self._last - self._count + 1} to {self._last}: {parts}')


def _forget_absent(scalars: dict[str, Any], names: Iterable[str]) -> None:
    """Remove the loss terms of training that are none of ``names``."""
    logged = [key.removeprefix('train/') for key in scalars if key.startswith('train/')]
    for name in set(loss_terms(logged)).difference(names):
        del scalars[f'train/{name}']


def _percent(share: float) -> str:
    """A share with one decimal, or with two digits if it is smaller than that."""
    percent = 100 * share
    return f'{percent:.1f} %' if percent >= 0.1 or percent == 0 else f'{percent:.2g} %'
