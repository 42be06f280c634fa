"""Randomness of the augmentation as a function of (seed, epoch, sample), whichever process draws it."""

import hashlib
import random
import struct

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
        key = struct.pack('<4q', self.seed, self.dataset_number, self._epoch.item(), results['sample_idx'])
        words = hashlib.blake2b(key, digest_size=20).digest()
        # MT19937 is started from 32 bits in 2 microseconds, from several words in 14.
        np.random.seed(int.from_bytes(words[:4], 'little'))
        random.seed(int.from_bytes(words[4:12], 'little'))
        torch.default_generator.manual_seed(int.from_bytes(words[12:], 'little') >> 1)
        return results
