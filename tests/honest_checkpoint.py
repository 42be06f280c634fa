"""A small training's checkpoint, as MMEngine stores one, and the runner that it is from."""

from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.optim import LinearLR, MultiStepLR, OptimWrapper
from mmengine.runner.checkpoint import save_checkpoint
from torch import nn


def runner_of(model: nn.Module) -> SimpleNamespace:
    """What resuming asks of a runner: an optimizer that has taken a step, and schedulers."""
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    model(torch.ones(2, 8)).sum().backward()
    optimizer.step()
    wrapper = OptimWrapper(optimizer)
    schedulers = [LinearLR(wrapper, start_factor=0.1, end=5), MultiStepLR(wrapper, milestones=[3, 7])]
    return SimpleNamespace(
        model=model,
        optim_wrapper=wrapper,
        param_schedulers=schedulers,
        _load_from='some.pth',
        build_optim_wrapper=lambda built: built,
        build_param_scheduler=lambda built: built,
    )


def content_of(runner: SimpleNamespace, **meta: Any) -> dict:
    """The content of its checkpoint."""
    hub = dict(
        log_scalars={'train/loss': HistoryBuffer([0.5, 0.25], [1, 1])},
        resumed_keys={'train/loss': True},
        runtime_info=dict(cfg="model = dict(type='A')\n", best_score=np.float64(0.5)),
    )
    assert isinstance(runner.param_schedulers[1].milestones, Counter)
    return dict(
        state_dict=runner.model.state_dict(),
        message_hub=hub,
        optimizer=runner.optim_wrapper.state_dict(),
        meta=dict(epoch=1, iter=10, seed=3, cfg="model = dict(type='A')\n", dataset_meta=dict(a=1), **meta),
        param_schedulers=[scheduler.state_dict() for scheduler in runner.param_schedulers],
    )


def small_model() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(8, 30), nn.Linear(30, 4))


def write_honest(file: Path, **meta: Any) -> SimpleNamespace:
    """Save it as MMEngine does; gives the runner."""
    runner = runner_of(small_model())
    save_checkpoint(content_of(runner, **meta), str(file))
    return runner
