"""The best checkpoint and the validations of a training that is interrupted."""

import logging
import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner

import sdpose  # noqa: F401

# The score of each epoch's validation.
_SCORES = [0.2, 0.9, 0.5, 0.7, 0.6]


class Model(BaseModel):
    """One weight that counts its steps."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, values: torch.Tensor, mode: str = 'loss') -> Any:
        return dict(loss=-self.weight.sum()) if mode == 'loss' else [0]


class Scores(BaseMetric):
    """Gives out the scores above, or those of COCO's name, and keeps which of them it was asked for."""

    def __init__(self, asked: list[int], coco: Sequence[float] = ()) -> None:
        super().__init__()
        self.asked, self.coco, self.runner = asked, coco, None

    def process(self, data_batch: Any, data_samples: Any) -> None:
        self.results.append(1)

    def compute_metrics(self, results: list) -> dict:
        self.asked.append(self.runner.epoch)
        score = _SCORES[self.runner.epoch - 1]
        precision = {'coco/AP': self.coco[self.runner.epoch - 1]} if self.coco else {}
        return dict(score=score, error=-score, **precision)


class Killed(BaseException):
    """What a kill looks like from inside."""


class KillAt(Hook):
    """Ends the training at a point of an epoch, counted from 1, before all else that happens there."""

    priority = 'HIGHEST'

    def __init__(self, point: str | None, epoch: int) -> None:
        self.point, self.epoch = point, epoch

    def before_val_epoch(self, runner: Runner) -> None:
        if self.point == 'validation' and runner.epoch == self.epoch:
            raise Killed

    def before_train_epoch(self, runner: Runner) -> None:
        if self.point == 'training' and runner.epoch + 1 == self.epoch:
            raise Killed


def run(
    folder: Path,
    point: str | None = None,
    epoch: int = 0,
    resume: bool = False,
    load_from: Path | None = None,
    batch_size: int = 2,
    coco: Sequence[float] = (),
    **checkpoint: Any,
) -> list[int]:
    """Train five epochs, or until killed; the epochs whose validation was finished."""
    asked: list[int] = []
    metric = Scores(asked, coco)
    settings = {**dict(type='ResumableCheckpointHook', interval=1, save_best='score', rule='greater'), **checkpoint}
    loader = dict(
        dataset=[dict(values=number) for number in range(4)],
        batch_size=batch_size,
        num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=False),
        collate_fn=dict(type='default_collate'),
    )
    runner = Runner(
        Model(),
        str(folder),
        default_scope='mmpose',
        experiment_name=f'{folder.name}{id(asked)}',
        resume=resume,
        load_from=load_from and str(load_from),
        train_dataloader=loader,
        val_dataloader=loader,
        val_cfg=dict(),
        val_evaluator=Evaluator(metric),
        train_cfg=dict(type='ResumableTrainLoop', max_epochs=5),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=1.0)),
        default_hooks=dict(checkpoint=settings),
        custom_hooks=[KillAt(point, epoch)],
        log_level=logging.ERROR,
    )
    metric.runner = runner
    try:
        runner.train()
    except Killed:
        pass
    return asked


def best(folder: Path) -> dict[str, float]:
    """The best checkpoints, and how many steps each has seen."""
    return {
        path.name: torch.load(path, weights_only=False)['state_dict']['weight'].item() for path in folder.glob('best_*')
    }


def test_uninterrupted(tmp_path: Path) -> None:
    assert run(tmp_path) == [1, 2, 3, 4, 5]
    assert best(tmp_path) == {'best_score_epoch_2.pth': 4.0}


@pytest.mark.parametrize('epoch', [1, 2, 3, 5])
def test_a_validation_that_was_cut_off_is_made_up(tmp_path: Path, epoch: int) -> None:
    """The last one, too, although nothing is left to train."""
    assert run(tmp_path, 'validation', epoch) == list(range(1, epoch))
    assert run(tmp_path, resume=True) == list(range(epoch, 6))
    assert best(tmp_path) == {'best_score_epoch_2.pth': 4.0}


def test_the_best_score_is_remembered(tmp_path: Path) -> None:
    """Killed in epoch 4: the checkpoint of epoch 3 was written before its validation, by MMEngine's order."""
    run(tmp_path, 'training', 4)
    assert run(tmp_path, resume=True) == [4, 5]
    assert best(tmp_path) == {'best_score_epoch_2.pth': 4.0}


def test_without_the_record_the_checkpoint_is_believed(tmp_path: Path) -> None:
    """As of a training from before there was one: its last validation is done again, the best one stays."""
    run(tmp_path, 'training', 4)
    (tmp_path / 'validations.json').unlink()
    assert run(tmp_path, resume=True) == [3, 4, 5]
    assert best(tmp_path) == {'best_score_epoch_2.pth': 4.0}


def test_what_is_done_again_replaces_the_best_of_before(tmp_path: Path) -> None:
    run(tmp_path)
    assert run(tmp_path, resume=True, load_from=tmp_path / 'epoch_1.pth') == [2, 3, 4, 5]
    assert best(tmp_path) == {'best_score_epoch_2.pth': 4.0}


def test_a_best_checkpoint_that_is_gone_is_not_waited_for(tmp_path: Path) -> None:
    run(tmp_path, 'training', 4)
    (tmp_path / 'best_score_epoch_2.pth').unlink()
    assert run(tmp_path, resume=True) == [4, 5]
    assert best(tmp_path) == {'best_score_epoch_4.pth': 8.0}


def test_another_folder_is_left_alone(tmp_path: Path) -> None:
    run(tmp_path / 'first', 'training', 2)
    assert run(tmp_path / 'second', resume=True, load_from=tmp_path / 'first/epoch_1.pth') == [1, 2, 3, 4, 5]
    assert best(tmp_path / 'first') == {'best_score_epoch_1.pth': 2.0}
    assert best(tmp_path / 'second') == {'best_score_epoch_2.pth': 4.0}


def test_a_moved_folder_keeps_its_best(tmp_path: Path) -> None:
    run(tmp_path / 'first', 'training', 4)
    shutil.move(tmp_path / 'first', tmp_path / 'second')
    assert run(tmp_path / 'second', resume=True) == [4, 5]
    assert best(tmp_path / 'second') == {'best_score_epoch_2.pth': 4.0}


def test_each_of_two_metrics_has_its_best(tmp_path: Path) -> None:
    metrics = dict(save_best=['score', 'error'], rule=['greater', 'less'])
    run(tmp_path, 'validation', 3, **metrics)
    run(tmp_path, resume=True, **metrics)
    assert best(tmp_path) == {'best_score_epoch_2.pth': 4.0, 'best_error_epoch_2.pth': 4.0}


@pytest.mark.parametrize(
    'recorded, expected', [(True, {'best_error_epoch_5.pth': 10.0}), (False, {'best_error_epoch_3.pth': 6.0})]
)
def test_another_metric_begins_anew(tmp_path: Path, recorded: bool, expected: dict) -> None:
    """Whose values all lie below the best score of the one before."""
    run(tmp_path, 'training', 4)
    if not recorded:  # so validation 3 is made up
        (tmp_path / 'validations.json').unlink()
    run(tmp_path, resume=True, save_best='error', rule='greater')
    assert best(tmp_path) == {**expected, 'best_score_epoch_2.pth': 4.0}


def test_a_validation_is_made_up_although_the_epoch_was_divided_otherwise(tmp_path: Path) -> None:
    run(tmp_path, 'validation', 2)
    assert run(tmp_path, 'validation', 4, resume=True, batch_size=4) == [2, 3]
    assert run(tmp_path, resume=True, batch_size=4) == [4, 5]


@pytest.mark.parametrize('out_dir', ['./elsewhere', 'elsewhere'])
def test_checkpoints_in_a_folder_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out_dir: str) -> None:
    monkeypatch.chdir(tmp_path)
    run(tmp_path / 'work', 'training', 4, out_dir=out_dir)
    newest = tmp_path / 'elsewhere/work/epoch_3.pth'
    newest.write_bytes(newest.read_bytes()[:-100])
    assert run(tmp_path / 'work', resume=True, out_dir=out_dir) == [3, 4, 5]
    assert best(tmp_path / 'elsewhere/work') == {'best_score_epoch_2.pth': 4.0}


def test_another_folder_is_left_alone_by_an_automatic_metric(tmp_path: Path) -> None:
    automatic = dict(save_best='auto', rule='greater')
    run(tmp_path / 'first', 'training', 3, **automatic)
    run(tmp_path / 'second', resume=True, load_from=tmp_path / 'first/epoch_1.pth', **automatic)
    assert best(tmp_path / 'first') == best(tmp_path / 'second') == {'best_score_epoch_2.pth': 4.0}


def test_the_first_metric_where_none_is_named(tmp_path: Path) -> None:
    automatic = dict(save_best='auto', rule='greater')
    run(tmp_path, 'training', 4, **automatic)
    run(tmp_path, resume=True, **automatic)
    assert best(tmp_path) == {'best_score_epoch_2.pth': 4.0}


def test_regular_checkpoints_remove_the_one_of_a_stop(tmp_path: Path) -> None:
    run(tmp_path, 'training', 2, max_keep_ckpts=1)
    shutil.copy(tmp_path / 'epoch_1.pth', tmp_path / 'stopped_iter_2.pth')
    run(tmp_path, resume=True, max_keep_ckpts=1)
    assert [path.name for path in tmp_path.glob('*.pth') if 'best' not in path.name] == ['epoch_5.pth']


@pytest.mark.parametrize(
    'coco, expected',
    [
        ([-1.0] * 5, {}),
        ([math.nan] * 5, {}),
        ([-1.0, 0.0, -1.0, -1.0, -1.0], {'best_coco_AP_epoch_2.pth': 4.0}),  # of a bad model, but measured
        ([-1.0, 0.3, 0.1, -1.0, 0.4], {'best_coco_AP_epoch_5.pth': 10.0}),
    ],
)
@pytest.mark.parametrize('save_best', ['coco/AP', ['coco/AP', 'score']])
def test_what_was_not_measured_is_never_the_best(tmp_path: Path, coco: list, expected: dict, save_best: Any) -> None:
    others = {'best_score_epoch_2.pth': 4.0} if isinstance(save_best, list) else {}
    run(tmp_path, coco=coco, save_best=save_best)
    assert best(tmp_path) == {**expected, **others}


def test_what_was_not_measured_stays_so_when_resumed(tmp_path: Path) -> None:
    coco = [-1.0, 0.3, -1.0, 0.2, -1.0]
    run(tmp_path, 'training', 4, coco=coco, save_best='coco/AP')
    assert run(tmp_path, resume=True, coco=coco, save_best='coco/AP') == [4, 5]
    assert best(tmp_path) == {'best_coco_AP_epoch_2.pth': 4.0}
