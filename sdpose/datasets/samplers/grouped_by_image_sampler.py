"""People of one image one after another, in one process, so that the image is decoded once."""

import pickle
from collections.abc import Iterator, Sequence, Sized
from functools import cached_property
from typing import Any

import numpy as np
from mmengine.dataset import DefaultSampler
from mmengine.registry import DATA_SAMPLERS

from ..array_coco_dataset import ArraySamples


@DATA_SAMPLERS.register_module()
class GroupedByImageSampler(DefaultSampler):
    """Goes through an evaluation's data once, with the people of an image together, beside ``keep_last`` in loading.

    Images come in the order in which the data set first has them, people of an image in the order of the data set:
    where that has them together, one process goes through it as MMEngine's ``DefaultSampler`` does. Of several
    processes each gets a stretch of whole images, as many people as the others but for the last image's. Every person
    is seen once, so that a metric over all people is the same.

    Args:
        dataset: The data set. Whose samples cannot be told apart without loading pictures is divided into stretches.
        shuffle: Only False: shuffled people share no picture with their neighbours.
        seed: Unused; what sets a sampler's seed finds one.
        round_up: Only False: an evaluation counts everybody once.

    Raises:
        ValueError: If it is to shuffle or to repeat samples.
    """

    def __init__(self, dataset: Sized, shuffle: bool = False, seed: int | None = None, round_up: bool = False) -> None:
        if shuffle or round_up:
            raise ValueError(
                f'GroupedByImageSampler keeps the order and repeats nothing, got shuffle={shuffle}, '
                f'round_up={round_up}: take DefaultSampler'
            )
        super().__init__(dataset, shuffle, 0 if seed is None else seed, round_up)

    @cached_property
    def _indices(self) -> list[int]:
        """This process's share. Found late: a data set that is built lazily is read by whoever asks first."""
        count = len(self.dataset)
        images = image_paths(self.dataset)
        numbers: dict[Any, int] = {}
        keys = images if images is not None and len(images) == count else range(count)
        group = np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.int64)
        order = np.argsort(group, kind='stable')
        first = np.r_[0, np.flatnonzero(np.diff(group[order])) + 1][:count]
        owner = np.repeat(first * self.world_size // max(count, 1), np.diff(np.r_[first, count]))
        return [int(index) for index in order[owner == self.rank]]

    def __iter__(self) -> Iterator[int]:
        """Indices of this process."""
        return iter(self._indices)

    def __len__(self) -> int:
        """The number of samples of this process."""
        return len(self._indices)


def image_paths(dataset: Any) -> Sequence[Any] | None:
    """What tells the image of each sample, without loading any or copying what all samples share.

    Args:
        dataset: MMEngine's data set, or one that is made of such ``datasets`` one after another.

    Returns:
        None for a data set of another kind.
    """
    if hasattr(dataset, 'full_init'):
        dataset.full_init()
    if isinstance(parts := getattr(dataset, 'datasets', None), (list, tuple)):
        found = [image_paths(part) for part in parts]
        return None if None in found else [path for paths in found for path in paths or ()]
    if getattr(dataset, 'serialize_data', False) and hasattr(dataset, 'data_address'):
        content, ends = memoryview(dataset.data_bytes), dataset.data_address.tolist()
        samples = (pickle.loads(content[start:end]) for start, end in zip([0, *ends], ends))
    elif isinstance(getattr(dataset, 'data_list', None), ArraySamples):
        return dataset.data_list.image_paths()
    elif isinstance(getattr(dataset, 'data_list', None), list):
        samples = iter(dataset.data_list)
    else:
        return None
    return [str(info.get('img_path')) if isinstance(info, dict) else None for info in samples]
