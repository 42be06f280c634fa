"""Randomness of the augmentation as a function of (seed, epoch, sample), whichever process draws it."""

import random

import numpy as np
import torch
from mmcv.transforms import BaseTransform


class SeedBySample(BaseTransform):
    """Seed the generators of NumPy, Python and torch (CPU) before the transforms of one sample draw from them.

    What a sample looks like in epoch e then depends on nothing but the seed, e and the sample: not on the number of
    worker processes or GPUs, not on the samples drawn before it, and not on whether the run was interrupted. Worker
    processes keep generators of their own, which neither a checkpoint nor the main process can see; this is why their
    state is not saved and restored instead.

    Args:
        seed: The run's seed.
        dataset_number: Tells several data sets of one run apart.
    """

    def __init__(self, seed: int, dataset_number: int = 0) -> None:
        super().__init__()
        self.seed = seed
        self.dataset_number = dataset_number
        # In shared memory: workers that outlive an epoch see the change that the main process makes.
        self._epoch = torch.zeros(1, dtype=torch.int64).share_memory_()

    def set_epoch(self, epoch: int) -> None:
        """Tell every process which epoch comes next. To be called while no worker loads."""
        self._epoch[0] = epoch

    def transform(self, results: dict) -> dict | None:
        """Seed for ``results['sample_idx']`` and pass the sample on."""
        key = [self.seed, self.dataset_number, int(self._epoch[0]), int(results['sample_idx'])]
        words = np.random.SeedSequence(key).generate_state(4)
        np.random.seed(words)
        random.seed(words.tobytes())
        torch.default_generator.manual_seed(int(words[:2].view(np.uint64)[0] >> np.uint64(1)))
        return results
