"""An average of the weights counts the optimizer's steps."""

from pathlib import Path

import pytest
import torch
from mmengine.model import BaseModel
from mmengine.runner import Runner

import sdpose  # noqa: F401


class _Model(BaseModel):
    """The loss is w x, so that a step subtracts the mean x of its batches."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, *inputs: torch.Tensor, mode: str) -> dict:
        return dict(loss=(self.weight * torch.stack(inputs)).mean())


@pytest.mark.parametrize('counts, weights', [(1, [-1, -4, -6, -10]), (2, [-2, -5])])
def test_steps_are_averaged_and_not_batches(tmp_path: Path, counts: int, weights: list[float]) -> None:
    """The first step is taken over, of the later ones a half; steps of two batches are half as many."""
    runner = Runner(
        _Model(),
        str(tmp_path),
        train_cfg=dict(by_epoch=True, max_epochs=1),
        train_dataloader=dict(
            dataset=[torch.tensor(value) for value in (1.0, 3.0, 2.0, 4.0)],
            batch_size=1,
            num_workers=0,
            sampler=dict(type='DefaultSampler', shuffle=False),
        ),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=1.0), accumulative_counts=counts),
        default_hooks=dict(checkpoint=None, logger=None),
        custom_hooks=[dict(type='EMAHook', momentum=0.5)],
        default_scope='mmpose',
        experiment_name=f'{tmp_path.name}',
    )
    runner.train()
    assert runner.model.weight.item() == weights[-1]
    (hook,) = (hook for hook in runner.hooks if hasattr(hook, 'ema_model'))
    average = weights[0]
    for weight in weights[1:]:
        average = (average + weight) / 2
    assert hook.ema_model.module.weight.item() == average
