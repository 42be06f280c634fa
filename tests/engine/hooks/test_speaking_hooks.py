"""Training that learns nothing and evaluation that measures nothing are said, once."""

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample

import sdpose  # noqa: F401

MMENGINES = ('Dataset list has no metainfo', 'Reach the end of the dataloader')


class Model(BaseModel):
    """Losses per step, as they are given; predictions whose annotations have one visibility."""

    def __init__(self, losses: dict[str, list[float]], visible: float = 1.0) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.losses, self.visible, self.step = losses, visible, 0

    def forward(self, values: torch.Tensor, mode: str = 'loss') -> Any:
        if mode == 'loss':
            self.step += 1
            return {name: 0 * self.weight.sum() + steps[self.step - 1] for name, steps in self.losses.items()}
        sample = PoseDataSample(metainfo=dict(id=1, img_id=1))
        sample.gt_instances = InstanceData(keypoints_visible=np.full((1, 3), self.visible))
        return [sample for _ in values]


class Given(BaseMetric):
    """Gives out the metrics that it was given."""

    def __init__(self, metrics: dict) -> None:
        super().__init__()
        self.metrics = metrics

    def process(self, data_batch: Any, data_samples: Any) -> None:
        self.results.append(1)

    def compute_metrics(self, results: list) -> dict:
        return self.metrics


@pytest.fixture
def warnings_of(tmp_path) -> Callable:
    """Trains two epochs of two steps, or tests; returns what is warned of."""

    def run(start: str, model: Model, metrics: dict, train_cfg: dict | None = None) -> list[str]:
        loader = dict(
            dataset=[dict(values=number) for number in range(4)],
            batch_size=2,
            num_workers=0,
            sampler=dict(type='DefaultSampler', shuffle=False),
            collate_fn=dict(type='default_collate'),
        )
        training = dict(
            train_dataloader=loader,
            train_cfg=train_cfg or dict(by_epoch=True, max_epochs=2),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=1.0)),
            val_dataloader=loader,
            val_cfg=dict(),
            val_evaluator=Evaluator(Given(metrics)),
        )
        testing = dict(test_dataloader=loader, test_cfg=dict(), test_evaluator=Evaluator(Given(metrics)))
        runner = Runner(
            model,
            str(tmp_path),
            default_scope='mmpose',
            experiment_name=f'{tmp_path.name}_{start}_{id(model)}',
            default_hooks=dict(
                checkpoint=None,
                logger=None,
                zero_loss=dict(type='ZeroLossHook'),
                suspicious_metrics=dict(type='SuspiciousMetricHook'),
            ),
            **(training if start == 'train' else testing),
        )
        said: list[str] = []
        handler = logging.Handler(logging.WARNING)
        handler.emit = lambda record: said.append(record.getMessage())
        runner.logger.addHandler(handler)
        getattr(runner, start)()
        return [line for line in said if not line.startswith(MMENGINES)]

    return run


@pytest.mark.parametrize(
    'losses, said',
    [
        (dict(loss_kpt=[0.0] * 4), ['loss_kpt was exactly 0 in each of 2 steps']),
        (dict(loss_kpt=[0.0, 0.1, 0.0, 0.0]), ['loss_kpt was exactly 0']),  # of the second epoch
        (dict(loss_kpt=[0.0, 0.1, 0.2, 0.0]), []),
        (dict(loss_kpt=[1e-30] * 4), []),
        (dict(loss_kpt=[-0.5, 0.5, 0.0, -1.0]), []),  # a likelihood
        (
            dict(loss_kpt_cycle1=[0.0] * 4, loss_kpt_cycle2=[0.0] * 4, loss_token=[0.1] * 4),
            ['loss_kpt_cycle1, loss_kpt_cycle2 was'],
        ),
        (dict(loss_kpt=[0.1] * 4, loss_token=[0.0] * 4), []),  # where the cycles agree
        (dict(loss_other=[0.0] * 4), ['^loss was exactly 0']),
        (dict(loss_cls=[0.7] * 4), []),
    ],
)
def test_a_pose_loss_of_nothing(warnings_of, losses, said):
    found = warnings_of('train', Model(losses), {'coco/AP': 0.5})
    assert [line.startswith(part.strip('^')) for line, part in zip(found, said, strict=True)] == [True] * len(said)
    assert all('visibility 0 throughout' in line and '\n' not in line for line in found)


def test_without_epochs_as_many_steps_count(warnings_of):
    found = warnings_of(
        'train', Model(dict(loss_kpt=[0.1, 0.1, 0.0, 0.0])), {}, dict(by_epoch=False, max_iters=4, val_interval=4)
    )
    assert len(found) == 1 and found[0].startswith('loss_kpt was exactly 0 in each of 2 steps')


def test_a_metric_is_explained_once_in_a_training_and_in_a_test(warnings_of):
    losses = dict(loss_kpt=[0.1] * 4)
    for start in ('train', 'test'):
        found = warnings_of(start, Model(losses), {'coco/AP': -1.0, 'coco/AR': -1.0})
        assert len(found) == 1 and found[0].startswith('coco/AP, coco/AR are -1: no annotated person counts')
        assert warnings_of(start, Model(losses), {'coco/AP': 0.1, 'nme/NME': 0.0}) == []


@pytest.mark.parametrize('start', ['train', 'test'])
def test_joints_without_label_make_a_perfect_error(warnings_of, start):
    model = Model(dict(loss_kpt=[0.1] * 4), visible=0.0)
    assert warnings_of(start, model, {'nme/NME': 0.0}) == [
        'nme/NME is exactly 0: no joint of the data is labelled (visibility 0 throughout), so nothing was measured'
    ]
