"""What training steps gave, left on the device until the step on which the logger reads it anyway."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mmengine.hooks import LoggerHook
from mmengine.runner import Runner
from torch import Tensor

from sdpose.compat.log_scalars import read_values

# How often values are read where nothing is logged.
_WITHOUT_LOGGER = 50


class Step(NamedTuple):
    """One step's values.

    Attributes:
        iter: The 0-based number of the step in the training.
        epoch: The 0-based epoch.
        batch: The 0-based number of the step in its epoch.
        values: Its numbers by name.
    """

    iter: int
    epoch: int
    batch: int
    values: dict[str, float]


class PendingSteps:
    """Keeps values of steps where they are, and reads those of all steps at once.

    A value that is read in its own step has the host wait for the GPU, which is then idle until the next step reaches
    it.

    Args:
        wanted: Whether a value of this name is kept; all by default.
    """

    def __init__(self, wanted: Callable[[str], bool] | None = None) -> None:
        self._wanted = wanted or (lambda name: True)
        self._steps: list[tuple[int, int, int, dict[str, Any]]] = []

    def __len__(self) -> int:
        return len(self._steps)

    def add(self, runner: Runner, batch: int, outputs: Mapping[str, Any] | None) -> None:
        """Keep what a step gave.

        Args:
            runner: The runner.
            batch: The 0-based number of the step in its epoch.
            outputs: The step's logged values.
        """
        values = {
            name: value.detach() if isinstance(value, Tensor) else value
            for name, value in (outputs or {}).items()
            if self._wanted(name)
        }
        self._steps.append((runner.iter, runner.epoch, batch, values))

    def take(self) -> list[Step]:
        """The steps that were kept, with their numbers, in order; they are forgotten."""
        steps, self._steps = self._steps, []
        numbers = iter(read_values(value for *_, values in steps for value in values.values()))
        return [
            Step(number, epoch, batch, {name: next(numbers) for name in values})
            for number, epoch, batch, values in steps
        ]


def is_read(runner: Runner, batch: int) -> bool:
    """Whether the logger reads this step's values from the device; the last step of an epoch is read in any case.

    Args:
        runner: The runner.
        batch: The 0-based number of the step in its epoch.
    """
    for hook in runner.hooks:
        if isinstance(hook, LoggerHook):
            return hook.every_n_inner_iters(batch, hook.interval) or hook.end_of_epoch(runner.train_dataloader, batch)
    return (batch + 1) % _WITHOUT_LOGGER == 0
