"""Stop when a loss is no longer a number, before anything broken is saved."""

import math
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from sdpose.errors import NonFiniteError


@HOOKS.register_module()
class FiniteLossHook(Hook):
    """Stop training at the first NaN or infinite loss term, and never save weights that hold one.

    The loss terms are read from the message hub, into which MMEngine's ``RuntimeInfoHook`` has already copied each of
    them from the device in the same step: looking at them costs no further synchronisation. Weights are checked when
    they are about to be saved, which also catches a finite loss with a broken gradient in the last step, and a
    broken term on another process.
    """

    # After RuntimeInfoHook (VERY_HIGH), which fills the message hub; before CheckpointHook (VERY_LOW).
    priority = 'HIGH'

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict | None = None
    ) -> None:
        """Check every logged term of this step.

        Raises:
            NonFiniteError: Naming the terms, the epoch and the step.
        """
        scalars = runner.message_hub.log_scalars
        values = {name: scalars[f'train/{name}'].current() for name in outputs or () if f'train/{name}' in scalars}
        broken = {name: value for name, value in values.items() if not math.isfinite(value)}
        if not broken:
            return
        # The total is broken by its terms; it is named only when it alone is (an overflow of the sum).
        causes = [name for name in broken if name != 'loss'] or ['loss']
        terms = ', '.join(f'{name} = {broken[name]}' for name in causes)
        finite = ', '.join(f'{name} = {value:.4g}' for name, value in values.items() if name not in broken)
        raise NonFiniteError(
            f'training stopped: {terms} at step {runner.iter + 1} (epoch {runner.epoch + 1}, batch {batch_idx + 1})'
            f'{"; still finite: " + finite if finite else ""}. No checkpoint was written from this state. Resume '
            'from the last one with a lower learning rate, a longer warm-up or without --amp; if it stops again, look '
            'for a damaged image or annotation (NaN or huge numbers) in the training data.'
        )

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Check the weights that are about to be saved (they lie on the CPU already).

        Raises:
            NonFiniteError: Naming the first broken weight.
        """
        broken = [
            name
            for name, value in checkpoint['state_dict'].items()
            if value.is_floating_point() and not torch.isfinite(value).all()
        ]
        if broken:
            raise NonFiniteError(
                f'training stopped at step {runner.iter + 1}: {len(broken)} weights are NaN or '
                f'infinite, the first is {broken[0]}. They were not saved; earlier checkpoints '
                'are intact. Resume from the last one with a lower learning rate.'
            )
