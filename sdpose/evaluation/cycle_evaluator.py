"""The metrics of every cycle of a model, each from its own predictions."""

import logging
import re
from collections.abc import Sequence
from typing import Any

from mmengine.evaluator import Evaluator
from mmengine.logging import print_log
from mmengine.registry import EVALUATOR

from .not_finite import NotFiniteCount


@EVALUATOR.register_module()
class CycleEvaluator:
    """One MMEngine ``Evaluator`` per cycle, behind the interface that a test loop uses.

    Args:
        metrics: For each cycle, first cycle first, the list of its metrics' configs.
        names: What the metrics of each begin with, where they are not of cycles but of other ways to predict.

    Raises:
        ValueError: If there is no cycle.
    """

    def __init__(self, metrics: Sequence[Sequence[dict]], names: Sequence[str] | None = None) -> None:
        if not metrics:
            raise ValueError('CycleEvaluator needs the metrics of at least one cycle, got none')
        self.cycles = [Evaluator(of_cycle) for of_cycle in metrics]
        self.names = list(names) if names else [f'cycle{number + 1}' for number in range(len(metrics))]
        self._not_finite = [NotFiniteCount() for _ in metrics]

    @property
    def dataset_meta(self) -> dict | None:
        """The data set's meta information."""
        return self.cycles[0].dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, meta: dict) -> None:
        for evaluator in self.cycles:
            evaluator.dataset_meta = meta

    def process(self, data_samples: Sequence[Sequence], data_batch: Any | None = None) -> None:
        """Take one batch.

        Args:
            data_samples: For each cycle, its predictions for the batch.
            data_batch: The batch itself.

        Raises:
            ValueError: If the model predicted another number of cycles.
        """
        for evaluator, count, predictions in zip(self.cycles, self._not_finite, data_samples, strict=True):
            evaluator.process(predictions, data_batch)
            count.add(predictions)

    def evaluate(self, size: int) -> dict[str, float]:
        """The metrics of all cycles, named ``cycle1/coco/AP`` and so on; a warning for predictions that are NaN.

        Args:
            size: How many samples the data set has; what a sampler repeated beyond that is dropped.
        """
        metrics = {}
        for key, evaluator, count in zip(self.names, self.cycles, self._not_finite, strict=True):
            words = re.sub(r'^cycle(?=\d)', 'cycle ', key)
            print_log(f'{words} of {len(self.cycles)}:', 'current')
            metrics.update({f'{key}/{name}': value for name, value in evaluator.evaluate(size).items()})
            said = count.take(size)
            if said is not None:
                print_log(f'{words}: {said}', 'current', logging.WARNING)
        return metrics
