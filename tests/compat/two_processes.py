"""Train a small model in one of several processes; run as a program by torchrun.

Each rank sees other numbers; after training it prints one line of JSON with its weights and what it ran on.
"""

import json
import logging
import sys

import torch
from mmengine.dist import all_reduce, get_backend, get_rank, get_world_size
from mmengine.model import BaseModel
from mmengine.runner import Runner

import sdpose  # noqa: F401
from sdpose.evaluation.not_finite import NotFiniteCount
from sdpose.structures import ClassSample


class Model(BaseModel):
    """The loss is w x, so that every step subtracts the mean x of all processes; a buffer sums what this one saw."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))
        self.register_buffer('seen', torch.zeros(1))

    def forward(self, *inputs: torch.Tensor, mode: str) -> dict:
        self.seen += torch.stack(inputs).mean()
        return {'loss': (self.weight * torch.stack(inputs)).mean()}


def _average(runner: Runner) -> torch.nn.Module:
    return next(hook.ema_model.module for hook in runner.hooks if hasattr(hook, 'ema_model'))


def main(work_dir: str, wrapper: str) -> None:
    """Three steps of plain gradient descent with learning rate 1/8 over the numbers 0 to 5, in order."""
    extra = {} if wrapper == 'default' else dict(model_wrapper_cfg=dict(type='MMDistributedDataParallel'))
    runner = Runner(
        Model(),
        work_dir,
        launcher='pytorch',
        train_cfg=dict(by_epoch=True, max_epochs=1),
        cfg=extra,
        train_dataloader=dict(
            dataset=[torch.tensor(float(i)) for i in range(6)],
            batch_size=1,
            num_workers=0,
            sampler=dict(type='DefaultSampler', shuffle=False),
        ),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.125)),
        log_level=logging.ERROR,
        default_hooks=dict(checkpoint=None, logger=None),
        custom_hooks=[dict(type='SyncBuffersHook'), dict(type='EMAHook', momentum=0.5)],
        experiment_name='two',
    )
    runner.train()
    total = torch.tensor(float(get_rank() + 1))
    all_reduce(total)
    count = NotFiniteCount()
    count.add([ClassSample(metainfo=dict(sample_idx=get_rank()), pred_score=torch.tensor([float('nan')]))])
    said = dict(
        not_finite=count.take(2),
        seen=[each.seen.item() for each in (runner.model.module, _average(runner))],
        rank=get_rank(),
        world=get_world_size(),
        backend=get_backend(),
        total=total.item(),
        weight=runner.model.module.weight.item(),
        device_ids=runner.model.device_ids,
    )
    sys.stdout.write(json.dumps(said) + '\n')


if __name__ == '__main__':
    main(*sys.argv[1:])
