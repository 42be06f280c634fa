"""A training that counts iterations, to MMEngine one epoch: what needs epochs is refused, others know its length."""

from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.model import BaseModel
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmpose.registry import MODELS

from sdpose.config.load import load_config
from sdpose.engine.epochs import length_in_epochs
from sdpose.errors import ConfigError

_TINY = 'sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48'
_TERMS = dict(loss_query=dict(type='TokenMSELoss', on='query'))
_PRUNER = dict(type='TokenPruner', keep_ratio=0.5, layers=[0], cycles=[1])


class _Stub(BaseModel):
    """The parts that hooks steer; a step of it is of no matter."""

    def __init__(self, **neck: Any) -> None:
        super().__init__()
        init_default_scope('mmpose')
        model = MODELS.build(dict(load_config(_TINY).model, distiller=dict(type='SelfDistiller', terms=_TERMS)))
        self.neck, self.distiller, self.data_preprocessor = model.neck, model.distiller, model.data_preprocessor
        if neck:
            self.neck.pruner = MODELS.build(neck['pruner'])

    def forward(self, numbers: torch.Tensor, mode: str = 'loss') -> dict:
        return dict(loss=self.neck.tokenizer.query.sum())

    def train_step(self, data: Any, optim_wrapper: Any) -> dict:
        optim_wrapper.update_params(self.neck.tokenizer.query.sum())
        return dict(loss=torch.zeros(()))


def _train(folder: Path, hook: dict, train_cfg: dict, **neck: Any) -> Runner:
    runner = Runner(
        _Stub(**neck),
        str(folder),
        train_dataloader=dict(
            dataset=list(range(8)), batch_size=2, num_workers=0, sampler=dict(type='InfiniteSampler', shuffle=False)
        ),
        train_cfg=train_cfg,
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        default_hooks=dict(checkpoint=None, logger=None),
        custom_hooks=[hook],
        default_scope='mmpose',
        experiment_name=f'{folder.name}{id(hook)}',
    )
    runner.train()
    return runner


@pytest.mark.parametrize(
    'hook',
    [
        dict(type='CycleCurriculumHook', epochs=[1]),
        dict(type='OwnTeacherHook', refresh_epochs=1),
        dict(type='LastEpochsHook', epochs=1, steps=[dict(type='CoarseDropout')]),
    ],
    ids=lambda hook: hook['type'],
)
def test_hooks_of_epochs_are_refused(tmp_path: Path, hook: dict) -> None:
    """Nothing would ever change: the epoch stays 0, and the last ones of one epoch begin before it."""
    with pytest.raises(ConfigError, match=rf'{hook["type"]} counts epochs, but train_cfg counts iterations'):
        _train(tmp_path, hook, dict(by_epoch=False, max_iters=9))


@pytest.mark.parametrize('steps', [10, 12])
def test_a_schedule_longer_than_the_training_is_refused(tmp_path: Path, steps: int) -> None:
    """Three epochs of four batches take 12 iterations."""
    hook, length = dict(type='TeachingScheduleHook', epochs=2, begin=1), dict(by_epoch=False, max_iters=steps)
    if steps == 12:
        assert _train(tmp_path, hook, length).iter == 12
        return
    with pytest.raises(ConfigError, match='TeachingScheduleHook needs 3 epochs, but the training has 2.5: it would'):
        _train(tmp_path, hook, length)


def test_an_average_needs_no_epochs(tmp_path: Path) -> None:
    runner = _train(tmp_path, dict(type='OwnTeacherHook', momentum=0.5), dict(by_epoch=False, max_iters=9))
    assert runner.iter == 9 and length_in_epochs(runner) == 9 / 4


@pytest.mark.parametrize('steps, told', [(12, False), (10, True)])
def test_the_length_is_that_of_the_passes_over_the_data(
    tmp_path: Path, capfd: pytest.CaptureFixture, steps: int, told: bool
) -> None:
    """Three epochs of four batches: 12 iterations are as long as the annealing, 10 are not."""
    hook = dict(type='KeepRatioHook', start_epochs=1, anneal_epochs=2)
    _train(tmp_path, hook, dict(by_epoch=False, max_iters=steps), pruner=_PRUNER)
    said = ''.join(capfd.readouterr())
    assert ('after 3 epochs, but this training has 2.5 and ends at' in said) == told
    assert ('KeepRatioHook reaches' in said) == told
