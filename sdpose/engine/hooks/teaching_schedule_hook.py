"""How much a distiller teaches over a training (ELT, arXiv:2604.09168, from pose losses to the last cycle's word)."""

import math
from typing import Any

from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from sdpose.engine.bare_model import bare_model
from sdpose.engine.epochs import require_length
from sdpose.engine.taught import require_terms
from sdpose.errors import ConfigError
from sdpose.models.distillers import BaseDistiller
from sdpose.models.heads import CycleHead


@HOOKS.register_module()
class TeachingScheduleHook(Hook):
    """Multiply every term of the distiller by a factor that runs linearly from one value to another.

    The factor is a function of the step alone, so a resumed run goes on where it was. The log shows it as
    ``teaching``.

    Args:
        epochs: Epochs from ``start`` to ``end``.
        start: The factor up to ``begin``.
        end: The factor behind the last of ``epochs``.
        begin: Epochs before it begins to change.
        trade: What the terms gain the pose losses of all cycles but the last lose: these count ``1 - factor``, so that
            a cycle is taught by annotations first and by the last cycle later. A loss that counts 0 is left out.

    Raises:
        ValueError: If a value is out of range.
    """

    # A second hook that sets it would undo the first one.
    sets = 'how much a distiller teaches'

    def __init__(
        self, epochs: float, start: float = 0.0, end: float = 1.0, begin: float = 0, trade: bool = False
    ) -> None:
        if not (0 < epochs < math.inf and 0 <= begin < math.inf):
            raise ValueError(f'epochs must be positive and begin not negative, got epochs={epochs} and begin={begin}')
        if not (0 <= start < math.inf and 0 <= end < math.inf):  # below 0 they would be driven apart
            raise ValueError(f'a factor must not be negative, and finite, got start={start} and end={end}')
        if trade and max(start, end) > 1:  # a pose loss would be driven up
            raise ValueError(f'with trade=True a factor is a share of at most 1, got start={start} and end={end}')
        self.epochs, self.start, self.end, self.begin, self.trade = epochs, start, end, begin, trade

    @property
    def needed_epochs(self) -> float:
        """After so many epochs it changes no more."""
        return self.begin + self.epochs

    def factor_at(self, epoch: float) -> float:
        """The factor after ``epoch`` epochs, fractions of an epoch included."""
        progress = min(max((epoch - self.begin) / self.epochs, 0.0), 1.0)
        return self.start + (self.end - self.start) * progress

    def before_train(self, runner: Runner) -> None:
        """Refuse a model that nothing teaches, and a training that ends before the schedule.

        Raises:
            ConfigError: If so, or if its head has no losses to trade.
        """
        require_length(runner, self)
        model = bare_model(runner)
        if not isinstance(getattr(model, 'distiller', None), BaseDistiller):
            raise ConfigError('TeachingScheduleHook changes how much model.distiller teaches: this config has none')
        require_terms(model.distiller, self)
        if self.trade and not (isinstance(model.head, CycleHead) and getattr(model.neck, 'num_cycles', 1) > 1):
            raise ConfigError(
                'TeachingScheduleHook with trade=True weighs the pose losses of the cycles before the last, but the '
                'model has one cycle: set model.neck.num_cycles to 2 or more, or trade=False'
            )
        if self.trade and model.head.supervise == 'last':
            raise ConfigError(
                'TeachingScheduleHook with trade=True weighs the pose losses of the cycles before the last, but '
                "model.head.supervise='last' leaves these out: set it to 'all', or trade=False"
            )

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Set the factor of this step."""
        factor = self.factor_at(runner.iter / len(runner.train_dataloader))
        model = bare_model(runner)
        model.distiller.factor = factor
        if self.trade:
            model.head.early_weight = 1 - factor
        runner.message_hub.update_scalar('train/teaching', factor)
