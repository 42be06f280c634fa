"""Repeated augmentation: several differently augmented copies of an image in one global batch (DeiT, section 6)."""

from collections.abc import Iterator, Sized

import torch
from mmengine.dataset import DefaultSampler
from mmengine.registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class RepeatedAugmentationSampler(DefaultSampler):
    """Shuffles, takes every image ``num_repeats`` times in a row, and stops after as many samples as there are images.

    An epoch is as long as without repetition and sees a ``num_repeats``-th of the images. Consecutive samples go to
    different processes, so the copies of one image meet in one global batch, each process with its own. Copy r of
    image i is index ``r * len(dataset) + i``, which the data set takes modulo its length: that is what gives each copy
    its own augmentation where the draw is a function of the index.

    Args:
        dataset: The data set.
        num_repeats: Copies of an image.
        shuffle: Whether the images are shuffled.
        seed: Of the shuffle, the same in all processes; None for a common random one.

    Raises:
        ValueError: If there is to be less than one copy.
    """

    def __init__(self, dataset: Sized, num_repeats: int = 3, shuffle: bool = True, seed: int | None = None) -> None:
        super().__init__(dataset, shuffle, seed, round_up=True)
        if num_repeats < 1:
            raise ValueError(f'num_repeats must be at least 1, got {num_repeats}')
        self.num_repeats = num_repeats

    def __iter__(self) -> Iterator[int]:
        """Indices of this process for the current epoch."""
        count = len(self.dataset)
        if self.shuffle:
            order = torch.randperm(count, generator=torch.Generator().manual_seed(self.seed + self.epoch))
        else:
            order = torch.arange(count)
        copies = torch.arange(self.num_repeats) * count
        indices = (order[:, None] + copies).flatten()
        # More processes than a data set of a few images can fill: begin again.
        indices = indices.repeat(-(-self.total_size // len(indices)))
        return iter(indices[self.rank : self.total_size : self.world_size].tolist())
