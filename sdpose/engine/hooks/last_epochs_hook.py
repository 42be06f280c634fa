"""Weaker augmentation at the end of a training (RTMPose's second stage, arXiv:2303.07399)."""

from collections.abc import Iterator, Sequence
from typing import Any

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from mmpose.datasets.transforms import RandomBBoxTransform
from mmpose.registry import TRANSFORMS

from sdpose.config.nodes import iter_datasets
from sdpose.datasets.crop_cache.reach import limits_of
from sdpose.datasets.transforms import ClippedNormalBBoxTransform, LoadCachedCrop
from sdpose.engine.epochs import require_epochs
from sdpose.errors import ConfigError

_BOX_STEPS = (RandomBBoxTransform, ClippedNormalBBoxTransform)


@HOOKS.register_module()
class LastEpochsHook(Hook):
    """Give some steps of the training pipeline other arguments in the last epochs of a training.

    Each step takes the place of the one of its class; all others, loading, crop and target among them, stay what they
    are. It depends on the epoch alone, so a resumed training has the steps of an uninterrupted one.

    Args:
        epochs: How many epochs are the last ones.
        steps: Configs of the steps.

    Raises:
        ValueError: If there are no epochs or no steps.
    """

    sets = 'the steps of the last epochs'

    def __init__(self, epochs: int, steps: Sequence[dict[str, Any]]) -> None:
        if not isinstance(epochs, int) or epochs < 1:
            raise ValueError(f'epochs must be a whole number of at least 1, got {epochs}')
        if not steps:
            raise ValueError('steps must name at least one step of the training pipeline')
        self.epochs, self.steps = epochs, steps
        self._waiting = False

    @property
    def needed_epochs(self) -> int:
        """A training must be longer, or it has no other epochs."""
        return self.epochs + 1

    def before_train(self, runner: Runner) -> None:
        """Build the steps and look where they go, before a long training comes to its end.

        Raises:
            ConfigError: If the training counts iterations, or a step has no place or several in a pipeline, or reaches
                beyond the crops of a crop cache.
        """
        require_epochs(runner, self)
        for pipeline, place, step in self._places(runner):
            _require_within(pipeline, pipeline[place], step)
        self._waiting = True

    def before_train_epoch(self, runner: Runner) -> None:
        """Put the steps into place when the last epochs begin, in worker processes, too."""
        if not self._waiting or runner.epoch < runner.max_epochs - self.epochs:
            return
        self._waiting = False
        for pipeline, place, step in list(self._places(runner)):
            pipeline[place] = step
        runner.train_dataloader._iterator = None  # workers that outlive an epoch have a copy of the old steps
        names = ', '.join(str(step['type']) for step in self.steps)
        print_log(f'LastEpochsHook: epoch {runner.epoch + 1} is the first with the last steps ({names})', 'current')

    def _places(self, runner: Runner) -> Iterator[tuple[list[Any], int, Any]]:
        """Each pipeline with a place in it and the step that goes there."""
        pipelines = [
            each.pipeline.transforms
            for each in iter_datasets(runner.train_dataloader.dataset)
            if getattr(getattr(each, 'pipeline', None), 'transforms', None)
        ]
        for config in self.steps:
            step = TRANSFORMS.build(dict(config))
            found = [(each, at) for each in pipelines for at, old in enumerate(each) if type(old) is type(step)]
            if not found or len(found) > len({id(pipeline) for pipeline, _ in found}):
                there = ', '.join(type(old).__name__ for each in pipelines for old in each)
                raise ConfigError(
                    f'LastEpochsHook: {config["type"]} takes the place of the step of its class, but the training '
                    f'pipeline has {len(found)} of them ({there})'
                )
            for pipeline, at in found:
                yield pipeline, at, step


def _require_within(pipeline: list[Any], before: Any, after: Any) -> None:
    """Refuse a box step that reads beyond what was cut for the one before it.

    Raises:
        ConfigError: If so.
    """
    if not (isinstance(before, _BOX_STEPS) and any(isinstance(each, LoadCachedCrop) for each in pipeline)):
        return
    if any(new > old for new, old in zip(limits_of(after), limits_of(before), strict=True)):
        raise ConfigError(
            f'LastEpochsHook: {after} reads farther around a person than {before}, for which the crops of the crop '
            'cache were cut: give it smaller limits, or train from the pictures themselves'
        )
