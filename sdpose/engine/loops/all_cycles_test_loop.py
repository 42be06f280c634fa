"""One pass over the test data that evaluates every cycle of a model (SDPose, Table 6)."""

from typing import Any

import torch
from mmengine.registry import LOOPS
from mmengine.runner import TestLoop, autocast

from sdpose.engine.bare_model import bare_model


@LOOPS.register_module()
class AllCyclesTestLoop(TestLoop):
    """MMEngine's ``TestLoop`` for a model with ``predict_cycles`` and a :class:`sdpose.evaluation.CycleEvaluator`.

    Hooks, such as the one that draws pictures, see the predictions of the cycle that the config deploys.
    """

    @torch.no_grad()
    def run_iter(self, idx: int, data_batch: dict[str, Any]) -> None:
        """Predict and evaluate one batch."""
        self.runner.call_hook('before_test_iter', batch_idx=idx, data_batch=data_batch)
        model = bare_model(self.runner)
        with autocast(enabled=self.fp16):
            cycles = model.predict_cycles(**model.data_preprocessor(data_batch, False))
        self.evaluator.process(cycles, data_batch)
        self.runner.call_hook(
            'after_test_iter', batch_idx=idx, data_batch=data_batch, outputs=cycles[model.neck.test_cycles - 1]
        )
