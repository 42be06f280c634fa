"""Mixed precision on a CPU."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS
from torch import nn


@OPTIM_WRAPPERS.register_module()
class CpuAmpOptimWrapper(OptimWrapper):
    """``AmpOptimWrapper`` in bfloat16 for a machine without a GPU, on which MMEngine's refuses to be built.

    bfloat16 has the range of float32, so that no loss is scaled.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Run the forward pass in bfloat16, where torch does so on a CPU."""
        with super().optim_context(model), torch.autocast('cpu', dtype=torch.bfloat16):
            yield
