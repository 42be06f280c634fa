"""A training goes on within an epoch, at its place or, said, at the epoch's beginning."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner

import sdpose.engine.hooks.stop_hook as stop_hook
from sdpose.errors import Stopped


class Model(BaseModel):
    """One weight, moved by the numbers of a batch and by what torch's generator draws in the step."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, values: torch.Tensor, mode: str = 'loss') -> dict:
        return dict(loss=((self.weight - values.float().mean() - torch.rand(())) ** 2).mean())


class Watch(Hook):
    """Keeps the batches, and lets a signal arrive during one of the steps."""

    def __init__(self, stop_in: int | None, arrive: Callable[[], None]) -> None:
        self.batches: list[list[int]] = []
        self.stop_in, self.arrive = stop_in, arrive

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        self.batches.append([batch_idx, *data_batch['values'].tolist()])
        if runner.iter + 1 == self.stop_in:
            self.arrive()


class Killed(BaseException):
    """What a kill looks like from inside."""


def _kill() -> None:
    raise Killed


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable:
    """Train three epochs over twelve numbers; the batches, and the weight in the end."""

    def train(
        folder: Path,
        resume: bool = False,
        stop_in: int | None = None,
        batch_size: int = 3,
        counts: int = 1,
        kill: bool = False,
        **checkpoint: Any,
    ) -> tuple[list[list[int]], float]:
        monkeypatch.setattr(stop_hook, 'received', lambda: 0)
        watch = Watch(stop_in, _kill if kill else lambda: monkeypatch.setattr(stop_hook, 'received', lambda: 15))
        loader = dict(
            dataset=[dict(values=number) for number in range(12)],
            batch_size=batch_size,
            num_workers=0,
            sampler=dict(type='DefaultSampler', shuffle=True),
            collate_fn=dict(type='default_collate'),
        )
        hooks = dict(
            checkpoint={'type': 'ResumableCheckpointHook', 'interval': 1, **checkpoint},
            stop=dict(type='StopHook'),
            reproducible_randomness=dict(type='ReproducibleRandomnessHook'),
        )
        runner = Runner(
            Model(),
            str(folder),
            default_scope='mmpose',
            experiment_name=f'{folder.name}{id(watch)}',
            resume=resume,
            randomness=dict(seed=1),
            train_dataloader=loader,
            train_cfg=dict(type='ResumableTrainLoop', max_epochs=3),
            optim_wrapper=dict(optimizer=dict(type='Adam', lr=0.1), accumulative_counts=counts),
            default_hooks=hooks,
            custom_hooks=[watch],
            log_level=logging.WARNING,
        )
        try:
            runner.train()
        except Stopped as stopped:
            assert stopped.code == 143 and Path(stopped.checkpoint).is_file()
        except Killed:
            pass
        return watch.batches, runner.model.weight.item()

    return train


@pytest.mark.parametrize('stop_in', [1, 6, 8, 12])
def test_it_goes_on_at_its_place(tmp_path: Path, run: Callable, stop_in: int) -> None:
    """Within an epoch, and at its end, where the last batch is done but the epoch is not."""
    whole, weight = run(tmp_path / 'whole')
    assert len(whole) == 12 and sorted(sum((batch[1:] for batch in whole[4:8]), [])) == list(range(12))
    first, _ = run(tmp_path / 'parts', stop_in=stop_in)
    assert (tmp_path / f'parts/stopped_iter_{stop_in}.pth').is_file()
    rest, resumed = run(tmp_path / 'parts', resume=True)
    assert first + rest == whole
    assert resumed == weight
    assert sorted(path.name for path in (tmp_path / 'parts').glob('*.pth')) == [f'epoch_{n}.pth' for n in (1, 2, 3)]


def test_a_training_that_is_done_is_said(tmp_path: Path, run: Callable, capfd: pytest.CaptureFixture) -> None:
    said = 'nothing is left to train: the checkpoint has 3 epochs, train_cfg.max_epochs is 3'
    _, weight = run(tmp_path)
    assert said not in ''.join(capfd.readouterr())
    assert run(tmp_path, resume=True) == ([], weight)
    assert said in ''.join(capfd.readouterr())


def test_a_checkpoint_of_every_few_steps_is_taken_up_at_its_place(tmp_path: Path, run: Callable) -> None:
    whole, weight = run(tmp_path / 'whole')
    steps = dict(by_epoch=False, interval=5)
    first, _ = run(tmp_path / 'parts', stop_in=8, kill=True, **steps)
    rest, resumed = run(tmp_path / 'parts', resume=True, **steps)
    assert first[:5] + rest == whole and resumed == weight


def test_accumulated_steps_are_finished_first(tmp_path: Path, run: Callable) -> None:
    whole, weight = run(tmp_path / 'whole', counts=4)
    first, _ = run(tmp_path / 'parts', stop_in=5, counts=4)
    assert len(first) == 8
    rest, resumed = run(tmp_path / 'parts', resume=True, counts=4)
    assert first + rest == whole and resumed == weight


def test_an_epoch_that_is_divided_otherwise_begins_again(
    tmp_path: Path, run: Callable, capfd: pytest.CaptureFixture
) -> None:
    run(tmp_path, stop_in=6)
    rest, _ = run(tmp_path, resume=True, batch_size=4)
    assert [batch[0] for batch in rest] == [0, 1, 2, 0, 1, 2]
    assert (
        'within epoch 2, which is divided otherwise (batches 4, now 3, batch_size 3, now 4): that epoch begins again'
    ) in ''.join(capfd.readouterr())


def test_a_checkpoint_that_does_not_say_its_place_begins_the_epoch_again(
    tmp_path: Path, run: Callable, capfd: pytest.CaptureFixture
) -> None:
    run(tmp_path, stop_in=6)
    path = tmp_path / 'stopped_iter_6.pth'
    checkpoint = torch.load(path, weights_only=False)
    assert checkpoint['meta'].pop('position') == dict(batch=2, batches=4, processes=1, batch_size=3)
    torch.save(checkpoint, path)
    rest, _ = run(tmp_path, resume=True)
    assert [batch[0] for batch in rest] == [0, 1, 2, 3, 0, 1, 2, 3]
    assert 'that epoch begins again' in ''.join(capfd.readouterr())
