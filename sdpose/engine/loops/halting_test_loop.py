"""One pass over the test data by several thresholds of any-time inference, and by their controls."""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.registry import LOOPS
from mmengine.runner import TestLoop, autocast

from sdpose.engine.bare_model import bare_model
from sdpose.models.halting import Halting, predict_halting


@LOOPS.register_module()
class HaltingTestLoop(TestLoop):
    """MMEngine's ``TestLoop`` for :func:`predict_halting` and a :class:`sdpose.evaluation.CycleEvaluator`.

    Args:
        *args: As for ``TestLoop``.
        thresholds: See :class:`Halting`.
        by: See :class:`Halting`.
        **kwargs: As for ``TestLoop``.

    Attributes:
        counts: How many people were done after each cycle, (2 T, cycles), T thresholds and then their controls.
    """

    def __init__(self, *args: Any, thresholds: Sequence[float], by: str = 'peaks', **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.halting = Halting(tuple(thresholds), by)
        self.halting.require_fit(bare_model(self.runner).neck.num_cycles)
        self.counts = torch.zeros(2 * len(thresholds), bare_model(self.runner).neck.num_cycles, dtype=torch.long)

    @torch.no_grad()
    def run_iter(self, idx: int, data_batch: dict[str, Any]) -> None:
        """Predict and evaluate one batch."""
        self.runner.call_hook('before_test_iter', batch_idx=idx, data_batch=data_batch)
        model = bare_model(self.runner)
        with autocast(enabled=self.fp16):
            halted = predict_halting(model, **model.data_preprocessor(data_batch, False), halting=self.halting)
        self.counts += torch.stack([row.bincount(minlength=self.counts.shape[1] + 1)[1:] for row in halted.depths])
        self.evaluator.process(halted.samples, data_batch)
        outputs = halted.samples[0]
        self.runner.call_hook('after_test_iter', batch_idx=idx, data_batch=data_batch, outputs=outputs)
