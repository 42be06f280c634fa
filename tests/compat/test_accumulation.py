"""The learning rate is scaled by all samples of a step."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner import Runner

import sdpose  # noqa: F401


@pytest.mark.parametrize(
    'counts, scaling, rate',
    [
        (1, dict(enable=True, base_batch_size=8), 0.5),
        (2, dict(enable=True, base_batch_size=8), 1.0),
        (4, dict(enable=True, base_batch_size=8), 2.0),
        (2, dict(enable=False, base_batch_size=8), 1.0),
        (2, None, 1.0),
    ],
)
@pytest.mark.parametrize('several', [False, True])
def test_batches_of_a_step_count(counts: int, scaling: dict | None, rate: float, several: bool) -> None:
    import mmpose  # noqa: F401  # which applies sdpose.compat

    wrapper = OptimWrapper(torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0), accumulative_counts=counts)
    lines: list[str] = []
    runner = SimpleNamespace(
        _train_dataloader=dict(batch_size=4),
        world_size=1,
        param_schedulers=None,
        logger=SimpleNamespace(info=lines.append),
    )
    Runner.scale_lr(runner, OptimWrapperDict(a=wrapper) if several else wrapper, scaling)
    assert wrapper.optimizer.param_groups[0]['lr'] == rate
    assert any('A step takes' in line for line in lines) == bool(counts > 1 and scaling and scaling['enable'])
    assert scaling is None or scaling['base_batch_size'] == 8
