"""What a cycle of any-time inference costs, whatever the training supervised, and the curve that is made of it."""

import json
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from torch import nn

from sdpose.apis.halting import cycle_costs, report_halting
from sdpose.config.load import load_config
from sdpose.engine.loops import HaltingTestLoop
from sdpose.models.halting import Halting

approx = partial(pytest.approx, rel=1e-12)

_TINY = 'sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48'


@pytest.mark.parametrize(
    'options',
    [
        {},
        {'model.head.supervise': 'last'},
        {'model.neck.num_cycles': 3},
        {'model.neck.num_cycles': 4, 'model.neck.gradient_cycles': 1},
    ],
    ids=str,
)
def test_a_further_cycle_costs_its_layers_and_the_head(options: dict[str, Any]) -> None:
    cfg = load_config(_TINY, options)
    init_default_scope('mmpose')
    model = MODELS.build(cfg.model)
    supervised = model.head.supervise
    costs = cycle_costs(model, cfg)
    assert model.head.supervise == supervised and len(costs) == model.neck.num_cycles
    assert model.neck.gradient_cycles == options.get('model.neck.gradient_cycles')
    columns, rows = model.neck.tokenizer.grid_size
    tokens, (_, joints, dim) = 17 + columns * rows, model.neck.tokenizer.query.shape
    products = 2 * tokens * tokens * dim * len(model.neck.layers)  # of queries and keys, of weights and values
    further = tokens * _weights(model.neck.layers) + products + joints * _weights(model.head.mlp)
    assert [after - before for before, after in zip(costs, costs[1:])] == [further] * (len(costs) - 1)


@pytest.mark.parametrize('size', [1, 8])
def test_the_report_counts_people_exactly_and_says_when_its_control_is_none(size: int, tmp_path: Path) -> None:
    cfg = load_config(_TINY, {'test_dataloader.batch_size': size})
    init_default_scope('mmpose')
    loop = HaltingTestLoop.__new__(HaltingTestLoop)
    loop.halting, loop.counts = Halting((0.5,)), torch.tensor([[23, 29], [23, 29]])
    model, said = MODELS.build(cfg.model), MMLogger.get_instance(f'halting{size}', log_file=str(tmp_path / 'log'))
    runner: Any = SimpleNamespace(model=model, cfg=cfg, test_loop=loop, log_dir=str(tmp_path), logger=said)
    report_halting(runner, {'halt0.5/coco/AP': 0.5, 'chance0.5/coco/AP': 0.25})
    curve = json.loads((tmp_path / 'halting.json').read_text())
    one, two = curve['macs_of_cycles']
    assert curve['rows'] == [
        dict(
            threshold=0.5, macs=approx((23 * one + 29 * two) / 52), done_after=[23 / 52, 29 / 52], halt=0.5, chance=0.25
        )
    ]
    assert ('"by chance" says nothing' in (tmp_path / 'log').read_text()) == (size == 1)


def _weights(part: nn.Module) -> int:
    """How many weights its linears have."""
    return sum(each.weight.numel() for each in part.modules() if isinstance(each, nn.Linear))
