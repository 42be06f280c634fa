"""Repeated augmentation: which copies of which images meet."""

from unittest.mock import patch

import pytest

from sdpose.datasets.samplers import RepeatedAugmentationSampler

MODULE = 'mmengine.dataset.sampler.get_dist_info'


def epoch(count, rank=0, world_size=1, number=0, **options):
    with patch(MODULE, return_value=(rank, world_size)):
        sampler = RepeatedAugmentationSampler(range(count), seed=5, **options)
    sampler.set_epoch(number)
    return list(sampler), len(sampler)


def test_a_third_of_the_images_three_times_each_side_by_side():
    indices, length = epoch(12)
    assert length == len(indices) == 12
    images = [index % 12 for index in indices]
    assert len(set(images)) == 4
    assert all(images[start] == images[start + 1] == images[start + 2] for start in range(0, 12, 3))
    assert [index // 12 for index in indices] == [0, 1, 2] * 4  # the copy, which draws its own augmentation


def test_copies_go_to_different_processes():
    parts = [epoch(12, rank, 3)[0] for rank in range(3)]
    assert [len(part) for part in parts] == [4, 4, 4]
    for together in zip(*parts):
        assert len({index % 12 for index in together}) == 1 and len(set(together)) == 3
    whole, _ = epoch(12)
    assert [index for together in zip(*parts) for index in together] == whole


def test_each_epoch_has_other_images_and_the_seed_repeats_them():
    assert epoch(30, number=1)[0] != epoch(30)[0]
    assert epoch(30, number=1)[0] == epoch(30, number=1)[0]
    assert epoch(4, shuffle=False, num_repeats=2)[0] == [0, 4, 1, 5]


def test_one_copy_is_a_plain_shuffle_and_odd_sizes_are_filled_up():
    assert sorted(epoch(10, num_repeats=1)[0]) == list(range(10))
    assert [epoch(2, rank, 8)[1] for rank in range(8)] == [1] * 8
    assert all(len(epoch(2, rank, 8)[0]) == 1 for rank in range(8))


def test_less_than_one_copy_is_refused():
    with pytest.raises(ValueError, match='num_repeats must be at least 1, got 0'):
        epoch(4, num_repeats=0)
