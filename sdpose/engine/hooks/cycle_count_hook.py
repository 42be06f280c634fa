"""What the hooks share that change how many cycles a training runs."""

from abc import abstractmethod
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from sdpose.engine.bare_model import bare_model
from sdpose.errors import ConfigError
from sdpose.models.transformers import MultiCycledTransformer


class CycleCountHook(Hook):
    """Set the number of cycles of each training step, up to ``model.neck.num_cycles``: a subclass says how many.

    It must depend on the run's seed and the step alone: then it is one for all processes, and a resumed run repeats it.
    The log shows it as ``cycles``.
    """

    sets = 'the number of cycles'

    @abstractmethod
    def count(self, runner: Runner, most: int) -> int:
        """How many of at most so many cycles this step runs."""

    @abstractmethod
    def require_fit(self, num_cycles: int, test_cycles: int) -> None:
        """Refuse a model that it does not fit.

        Args:
            num_cycles: Cycles that are trained at most.
            test_cycles: Cycles that are deployed, and so must be trained in every step.

        Raises:
            ConfigError: If so.
        """

    def before_train(self, runner: Runner) -> None:
        """Look whether the model fits.

        Raises:
            ConfigError: If it has no cycles, or as :meth:`require_fit`.
        """
        neck = getattr(bare_model(runner), 'neck', None)
        if not isinstance(neck, MultiCycledTransformer):
            raise ConfigError(f'{type(self).__name__} needs a MultiCycledTransformer as model.neck')
        self.require_fit(neck.num_cycles, neck.test_cycles)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Set the number of this step."""
        neck = bare_model(runner).neck
        neck.training_cycles = self.count(runner, neck.num_cycles)
        runner.message_hub.update_scalar('train/cycles', neck.training_cycles)
