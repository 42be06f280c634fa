"""The randomness of a sample depends on seed, epoch and sample alone."""

import random

import numpy as np

from sdpose.datasets.transforms import SeedBySample


def _draw(seeder: SeedBySample, sample: int) -> tuple:
    seeder.transform(dict(sample_idx=sample))
    return np.random.rand(), random.random()


def test_draws_repeat_whatever_was_drawn_before() -> None:
    seeder = SeedBySample(5)
    first = _draw(seeder, 3)
    np.random.rand(100)
    _draw(seeder, 4)
    assert _draw(seeder, 3) == first
    assert _draw(SeedBySample(5), 3) == first


def test_each_of_seed_data_set_epoch_and_sample_changes_the_draw() -> None:
    later = SeedBySample(5)
    later.set_epoch(1)
    draws = [
        _draw(SeedBySample(5), 3),
        _draw(SeedBySample(6), 3),
        _draw(SeedBySample(5, 1), 3),
        _draw(later, 3),
        _draw(SeedBySample(5), 4),
    ]
    assert len(set(draws)) == 5


def test_draws_of_neighbouring_samples_are_uniform_and_uncorrelated() -> None:
    seeder = SeedBySample(0)
    values = np.array([_draw(seeder, sample)[0] for sample in range(3000)])
    assert abs(values.mean() - 0.5) < 4 * np.sqrt(1 / 12 / 3000)
    assert abs(np.corrcoef(values[:-1], values[1:])[0, 1]) < 4 / np.sqrt(3000)


def test_the_epoch_reaches_a_forked_process() -> None:
    import multiprocessing

    seeder, queue = SeedBySample(1), multiprocessing.get_context('fork').Queue()
    go = multiprocessing.get_context('fork').Event()

    def worker() -> None:
        go.wait(30)
        queue.put(_draw(seeder, 0))

    process = multiprocessing.get_context('fork').Process(target=worker)
    process.start()
    seeder.set_epoch(7)
    go.set()
    seen = queue.get(timeout=30)
    process.join()
    assert seen == _draw(seeder, 0)
    seeder.set_epoch(0)
    assert seen != _draw(seeder, 0)
