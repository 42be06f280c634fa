"""What is drawn in training follows from the seed and the position alone."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from mmengine.dataset import BaseDataset, ConcatDataset, DefaultSampler, RepeatDataset
from mmengine.runner import EpochBasedTrainLoop
from torch.utils.data import DataLoader

import sdpose  # noqa: F401
from sdpose.engine.hooks import ReproducibleRandomnessHook


class _Numbers(BaseDataset):
    """Eight samples whose pipeline returns a random number."""

    def __init__(self) -> None:
        super().__init__(pipeline=[lambda results: (results['sample_idx'], np.random.rand())], serialize_data=False)

    def load_data_list(self) -> list:
        return [{} for _ in range(8)]


def _runner(dataset: Any, seed: int = 1, rank: int = 0, **loader: Any) -> SimpleNamespace:
    loader = DataLoader(
        dataset, sampler=DefaultSampler(dataset, seed=99), batch_size=2, collate_fn=lambda batch: batch, **loader
    )
    loop = EpochBasedTrainLoop.__new__(EpochBasedTrainLoop)
    return SimpleNamespace(
        train_dataloader=loader, train_loop=loop, seed=seed, rank=rank, iter=0, epoch=0, _randomness_cfg={}
    )


def _epoch(runner: SimpleNamespace, hook: ReproducibleRandomnessHook, epoch: int) -> dict:
    """The drawn number of every sample in one epoch."""
    runner.epoch = epoch
    hook.before_train_epoch(runner)
    return dict(pair for batch in runner.train_dataloader for pair in batch)


def _started(runner: SimpleNamespace) -> ReproducibleRandomnessHook:
    hook = ReproducibleRandomnessHook()
    hook.before_train(runner)
    return hook


def test_persistent_workers_and_none_draw_the_same_and_epochs_differ() -> None:
    plain, forked = _runner(_Numbers()), _runner(_Numbers(), num_workers=2, persistent_workers=True)
    hook, other = _started(plain), _started(forked)
    first, second = _epoch(plain, hook, 0), _epoch(plain, hook, 1)
    assert len(set(first.values()) | set(second.values())) == 16
    assert _epoch(forked, other, 0) == first
    assert _epoch(forked, other, 1) == second


def test_a_later_start_draws_what_an_uninterrupted_run_draws() -> None:
    runner = _runner(_Numbers())
    hook = _started(runner)
    _epoch(runner, hook, 0)
    third = _epoch(runner, hook, 3)
    resumed = _runner(_Numbers())
    assert _epoch(resumed, _started(resumed), 3) == third


def test_the_shuffle_takes_the_seed_of_the_run() -> None:
    runner = _runner(_Numbers(), seed=7)
    _started(runner)
    assert runner.train_dataloader.sampler.seed == 7


def test_a_seed_that_differs_by_rank_shuffles_alike() -> None:
    runner = _runner(_Numbers(), seed=9, rank=2)
    runner._randomness_cfg = dict(diff_rank_seed=True)
    _started(runner)
    assert runner.train_dataloader.sampler.seed == 7


def test_parts_of_a_concatenation_draw_differently() -> None:
    parts = [_Numbers(), _Numbers()]
    runner = _runner(ConcatDataset(parts))
    _started(runner)
    assert parts[0][3][1] != parts[1][3][1]
    assert parts[0][3] == parts[0][3]


def test_a_repeated_data_set_keeps_its_own_randomness() -> None:
    runner = _runner(RepeatDataset(_Numbers(), times=2))
    _started(runner)
    dataset = runner.train_dataloader.dataset
    assert dataset[3][1] != dataset[11][1]


def test_torch_is_seeded_by_step_and_rank() -> None:
    hook, runner = ReproducibleRandomnessHook(), _runner(_Numbers())

    def draw(step: int, rank: int) -> float:
        runner.iter, runner.rank = step, rank
        hook.before_train_iter(runner, 0)
        return torch.rand(1).item()

    draws = {(step, rank): draw(step, rank) for step in range(3) for rank in range(2)}
    assert len(set(draws.values())) == 6
    assert draw(2, 1) == draws[2, 1]
