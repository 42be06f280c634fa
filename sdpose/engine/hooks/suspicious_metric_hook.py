"""Say what a metric of -1, of exactly 0 or of no number means, and what to look at."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.dist import all_gather_object
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from sdpose.evaluation.suspicious_metrics import explain_metrics


@HOOKS.register_module()
class SuspiciousMetricHook(Hook):
    """Warn beside the metrics, in one line for each evaluator, of values that are no result; once in a run for each.

    What a value means is told by :mod:`sdpose.evaluation.suspicious_metrics`; data without people of one size are said,
    but no reason to warn. The joints that predictions are compared with are counted, where they come with the data, to
    tell an error of 0 from a measurement of nothing.
    """

    def __init__(self) -> None:
        self._said: set[str] = set()
        self._joints = self._labelled = 0

    def after_val_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Sequence | None = None
    ) -> None:
        """Count the joints of a batch."""
        self._count(outputs or ())

    def after_test_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Sequence | None = None
    ) -> None:
        """Count the joints of a batch."""
        self._count(outputs or ())

    def after_val_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Warn after a validation."""
        self._warn(runner, metrics or {})

    def after_test_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Warn after a test."""
        self._warn(runner, metrics or {})

    def _count(self, samples: Sequence[Any]) -> None:
        for sample in samples:
            visible = getattr(sample.get('gt_instances'), 'keypoints_visible', None) if sample is not None else None
            if visible is not None:
                visible = np.asarray(visible)
                self._joints += visible.size
                self._labelled += int((visible > 0).sum())

    def _warn(self, runner: Runner, metrics: dict[str, Any]) -> None:
        counts = np.sum(all_gather_object((self._joints, self._labelled)), axis=0)
        self._joints = self._labelled = 0
        for sentence, level in explain_metrics(metrics, labelled=not counts[0] or bool(counts[1])):
            if sentence not in self._said:
                self._said.add(sentence)
                runner.logger.log(level, sentence)
