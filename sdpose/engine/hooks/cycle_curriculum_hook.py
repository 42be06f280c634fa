"""More cycles as a training goes on: one is enough to begin with (a curriculum, as in arXiv:2511.07384)."""

from collections.abc import Sequence

from mmengine.registry import HOOKS
from mmengine.runner import Runner

from sdpose.engine.epochs import require_epochs
from sdpose.errors import ConfigError

from .cycle_count_hook import CycleCountHook


@HOOKS.register_module()
class CycleCurriculumHook(CycleCountHook):
    """Train one cycle, after the first of some epochs two, and so on, up to ``model.neck.num_cycles``.

    Args:
        epochs: After how many epochs the second cycle is added, the third, and so on.

    Raises:
        ValueError: If they do not rise from 1 on.
    """

    def __init__(self, epochs: Sequence[int]) -> None:
        self.epochs = tuple(epochs)
        if not self.epochs or min(self.epochs) < 1 or list(self.epochs) != sorted(set(self.epochs)):
            raise ValueError(f'epochs are rising numbers from 1 on, one for each cycle that is added, got {epochs}')

    @property
    def needed_epochs(self) -> float:
        """How long a training must be for all cycles to be trained in one epoch."""
        return self.epochs[-1] + 1

    def before_train(self, runner: Runner) -> None:
        """Look whether model and training fit.

        Raises:
            ConfigError: As :class:`CycleCountHook`, or if the training counts iterations.
        """
        require_epochs(runner, self)
        super().before_train(runner)

    def require_fit(self, num_cycles: int, test_cycles: int) -> None:
        """Refuse another number of cycles, and a deployed one that is not trained from the start.

        Raises:
            ConfigError: If so.
        """
        if len(self.epochs) != num_cycles - 1:
            raise ConfigError(
                f'CycleCurriculumHook adds {len(self.epochs)} cycles (epochs={self.epochs}) to the first, but '
                f'model.neck.num_cycles is {num_cycles}: give {num_cycles - 1} epochs'
            )
        if test_cycles > 1:  # its accuracy is logged from the first step on
            raise ConfigError(
                f'CycleCurriculumHook begins with one cycle, but model.neck.test_cycles is {test_cycles}: set it to 1'
            )

    def count(self, runner: Runner, most: int) -> int:
        """How many have been added, and the first."""
        return 1 + sum(runner.epoch >= epoch for epoch in self.epochs)
