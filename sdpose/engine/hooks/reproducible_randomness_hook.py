"""Randomness that depends on the seed and the position in the run alone, so that a resumed run repeats it."""

import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from mmengine.dataset import RepeatDataset
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.registry import HOOKS
from mmengine.runner import EpochBasedTrainLoop, Runner

from sdpose.config.nodes import inner_datasets
from sdpose.datasets.transforms import SeedBySample


@HOOKS.register_module()
class ReproducibleRandomnessHook(Hook):
    """Make every random draw of training a function of (seed, epoch, sample) or (seed, rank, step).

    MMEngine restores weights, optimizer, schedules and counters, but no generator: a resumed run augments otherwise,
    drops other units, and shuffles otherwise when its seed was not fixed. Instead of saving the state of generators,
    which sit in worker processes and on other ranks as well, this hook derives it:

    - the shuffle from the run's seed, which the checkpoint holds;
    - the augmentation of a sample from (seed, epoch, sample), see :class:`SeedBySample`;
    - torch's generators (dropout) from (seed, rank, step), set before each step.

    Two side effects are wanted: the number of workers changes no result, nor does the number of processes that a
    batch is split over. Augmentation is left alone in a loop without epochs, where a sample would come back
    with the same draw.
    """

    # Before DistSamplerSeedHook (NORMAL), and before anything draws.
    priority = 'VERY_HIGH'

    def __init__(self) -> None:
        self._seeders: list[SeedBySample] = []

    def before_train(self, runner: Runner) -> None:
        """Fix the shuffle's seed and put a seeder at the head of each pipeline, before workers are started."""
        seed = shared_seed(runner)
        loader = runner.train_dataloader
        sampler: Any
        for sampler in (loader.sampler, getattr(loader.batch_sampler, 'sampler', None)):
            if hasattr(sampler, 'seed'):
                sampler.seed = seed
        if not isinstance(runner.train_loop, EpochBasedTrainLoop):
            return
        for number, dataset in enumerate(_with_pipeline(loader.dataset)):
            seeder = SeedBySample(seed, number)
            dataset.pipeline.transforms.insert(0, seeder)
            self._seeders.append(seeder)

    def before_train_epoch(self, runner: Runner) -> None:
        """Announce the epoch to the seeders; no worker is loading at this point."""
        for seeder in self._seeders:
            seeder.set_epoch(runner.epoch)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Seed torch's generators for this step."""
        key = [shared_seed(runner), runner.rank, runner.iter]
        torch.manual_seed(int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0] >> np.uint64(1)))


def shared_seed(runner: Runner) -> int:
    """The run's seed without the offset that ``randomness.diff_rank_seed`` adds per rank."""
    return runner.seed - (runner.rank if runner._randomness_cfg.get('diff_rank_seed') else 0)


def _with_pipeline(dataset: Any) -> Iterator[Any]:
    """The data sets that run transforms, below wrappers of any depth.

    A repeated data set is left out: its samples come back within an epoch, and must not come back with the same draw.
    """
    if isinstance(dataset, RepeatDataset):
        print_log(
            'The augmentation of a RepeatDataset is not seeded by sample: a resumed run will augment its '
            'images otherwise. Train for more epochs instead of repeating.',
            'current',
            logging.WARNING,
        )
        return
    for part in inner_datasets(dataset):
        yield from _with_pipeline(part)
    if hasattr(getattr(dataset, 'pipeline', None), 'transforms'):
        yield dataset
