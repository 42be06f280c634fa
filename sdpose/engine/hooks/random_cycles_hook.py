"""A random number of cycles per step, so that the model is good after any of them (ELT, arXiv:2604.09168)."""

import numpy as np
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from sdpose.errors import ConfigError

from .cycle_count_hook import CycleCountHook
from .reproducible_randomness_hook import shared_seed


@HOOKS.register_module()
class RandomCyclesHook(CycleCountHook):
    """Each step runs between ``low`` and ``model.neck.num_cycles`` cycles, all equally likely.

    Args:
        low: The fewest.

    Raises:
        ValueError: If it is less than 1.
    """

    def __init__(self, low: int = 1) -> None:
        if low < 1:
            raise ValueError(f'low must be at least 1 cycle, got {low}')
        self.low = low

    def require_fit(self, num_cycles: int, test_cycles: int) -> None:
        """Refuse a range that holds one number, or leaves out the deployed cycle.

        Raises:
            ConfigError: If so.
        """
        if not test_cycles <= self.low < num_cycles:
            raise ConfigError(
                f'RandomCyclesHook draws from low={self.low} to model.neck.num_cycles={num_cycles} cycles: low must be '
                f'less than that, and at least model.neck.test_cycles={test_cycles}'
            )

    def count(self, runner: Runner, most: int) -> int:
        """A draw that depends on the run's seed and the step."""
        return self.draw(shared_seed(runner), runner.iter, most)

    def draw(self, seed: int, step: int, most: int) -> int:
        """The number of cycles of a step."""
        return int(np.random.default_rng([seed, step]).integers(self.low, most, endpoint=True))
