"""Say with every evaluation how many of its predictions are no numbers."""

from collections.abc import Sequence
from typing import Any

from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from sdpose.evaluation.cycle_evaluator import CycleEvaluator
from sdpose.evaluation.not_finite import NotFiniteCount


@HOOKS.register_module()
class FinitePredictionHook(Hook):
    """Warn in one line, beside the metrics, if key points or scores are NaN or infinite.

    An evaluation of every cycle warns for each of them itself (:class:`sdpose.evaluation.CycleEvaluator`).
    """

    def __init__(self) -> None:
        self._count = NotFiniteCount()

    def after_val_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Sequence | None = None
    ) -> None:
        """Count those of a batch."""
        self._count.add(outputs or ())

    def after_test_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Sequence | None = None
    ) -> None:
        """Count those of a batch."""
        if not isinstance(runner.test_evaluator, CycleEvaluator):
            self._count.add(outputs or ())

    def after_val_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Warn after a validation."""
        self._warn(runner, runner.val_dataloader)

    def after_test_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Warn after a test."""
        self._warn(runner, runner.test_dataloader)

    def _warn(self, runner: Runner, dataloader: Any) -> None:
        said = self._count.take(len(dataloader.dataset))
        if said is not None:
            runner.logger.warning(said)
