"""Annealing of the pruner's keep ratio, PPT's own recipe (EViT's rule)."""

import math
from typing import Any

from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from sdpose.engine.bare_model import bare_model
from sdpose.engine.epochs import length_in_epochs
from sdpose.errors import ConfigError
from sdpose.models.pruners import BasePruner
from sdpose.models.transformers import MultiCycledTransformer


@HOOKS.register_module()
class KeepRatioHook(Hook):
    """Prune nothing at first, then more and more along a cosine, until the pruner's own keep ratio is in force.

    The ratio is a function of the step alone, so a resumed run goes on where it was. Evaluation always prunes in full.
    The log shows the ratio in force beside the losses, as ``keep_ratio``.

    A training that ends before is warned of, not refused: a few epochs of a released recipe are a quick look at whether
    it runs, and what they train can be tested, with fewer tokens than it was trained with.

    Args:
        start_epochs: Epochs without pruning.
        anneal_epochs: Epochs from 1 down to the keep ratio.

    Raises:
        ValueError: If a number of epochs is negative or no number.
    """

    def __init__(self, start_epochs: int = 10, anneal_epochs: int = 100) -> None:
        if not (0 <= start_epochs < math.inf and 0 <= anneal_epochs < math.inf):
            raise ValueError(
                f'epochs must not be negative, and finite, got start_epochs={start_epochs} and '
                f'anneal_epochs={anneal_epochs}'
            )
        self.start_epochs = start_epochs
        self.anneal_epochs = anneal_epochs

    def ratio_at(self, epoch: float, keep_ratio: float) -> float:
        """The ratio after ``epoch`` epochs, fractions of an epoch included."""
        if epoch < self.start_epochs:
            return 1.0
        if epoch >= self.start_epochs + self.anneal_epochs:
            return keep_ratio
        progress = (epoch - self.start_epochs) / self.anneal_epochs
        return keep_ratio + (1 - keep_ratio) * (1 + math.cos(math.pi * progress)) / 2

    def before_train(self, runner: Runner) -> None:
        """Refuse a model that prunes nothing, and say so if the training ends before it prunes in full.

        Raises:
            ConfigError: If the model's neck has no pruner.
        """
        pruner = _pruner(runner)
        end = self.start_epochs + self.anneal_epochs
        length = length_in_epochs(runner)
        if length is not None and end > length:
            last = self.ratio_at(length, pruner.keep_ratio)
            runner.logger.warning(
                f'KeepRatioHook reaches keep_ratio={pruner.keep_ratio} after {end} epochs, but this training has '
                f'{length:g} and ends at {last:.3g}: it will be tested with fewer tokens than it was trained '
                'with. Set start_epochs and anneal_epochs of the hook to less'
            )

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Set the ratio of this step."""
        pruner = _pruner(runner)
        ratio = self.ratio_at(runner.iter / len(runner.train_dataloader), pruner.keep_ratio)
        pruner.training_keep_ratio = ratio
        runner.message_hub.update_scalar('train/keep_ratio', ratio)


def _pruner(runner: Runner) -> BasePruner:
    neck = getattr(bare_model(runner), 'neck', None)
    if not isinstance(neck, MultiCycledTransformer) or neck.pruner is None:
        raise ConfigError('KeepRatioHook anneals model.neck.pruner, which this config does not have')
    return neck.pruner
