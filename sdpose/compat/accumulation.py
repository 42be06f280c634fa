"""The learning rate for the samples of a step, which may be those of several batches."""

from functools import wraps
from typing import Any

from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner import Runner

_MARK = '_sdpose_compat'


def count_accumulation() -> None:
    """Let ``auto_scale_lr`` count the batches that ``accumulative_counts`` adds up to one step.

    Seen: MMEngine 0.10.7 scales by the size of a batch alone, which halves the learning rate of a training that takes
    two half batches for one.
    """
    original = Runner.scale_lr
    if hasattr(original, _MARK):
        return

    @wraps(original)
    def scale_lr(self: Runner, optim_wrapper: OptimWrapper, auto_scale_lr: dict[str, Any] | None = None) -> None:
        wrappers = optim_wrapper.values() if isinstance(optim_wrapper, OptimWrapperDict) else [optim_wrapper]
        batches = max(getattr(each, '_accumulative_counts', 1) for each in wrappers)
        if auto_scale_lr and auto_scale_lr.get('enable') and auto_scale_lr.get('base_batch_size') and batches > 1:
            base = auto_scale_lr['base_batch_size']
            self.logger.info(
                f'A step takes {batches} batches (optim_wrapper.accumulative_counts): the batch size of {base} that '
                f'the learning rate belongs to is {base / batches:g} per batch.'
            )
            auto_scale_lr = dict(auto_scale_lr, base_batch_size=base / batches)
        original(self, optim_wrapper, auto_scale_lr)

    setattr(scale_lr, _MARK, True)
    Runner.scale_lr = scale_lr
