"""What a cycle of any-time inference costs, whatever the training supervised."""

from typing import Any

import pytest
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from torch import nn

from sdpose.apis.halting import cycle_costs
from sdpose.config.load import load_config

_TINY = 'sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48'


@pytest.mark.parametrize('options', [{}, {'model.head.supervise': 'last'}, {'model.neck.num_cycles': 3}], ids=str)
def test_a_further_cycle_costs_its_layers_and_the_head(options: dict[str, Any]) -> None:
    cfg = load_config(_TINY, options)
    init_default_scope('mmpose')
    model = MODELS.build(cfg.model)
    supervised = model.head.supervise
    costs = cycle_costs(model, cfg)
    assert model.head.supervise == supervised and len(costs) == model.neck.num_cycles
    columns, rows = model.neck.tokenizer.grid_size
    tokens, (_, joints, dim) = 17 + columns * rows, model.neck.tokenizer.query.shape
    products = 2 * tokens * tokens * dim * len(model.neck.layers)  # of queries and keys, of weights and values
    further = tokens * _weights(model.neck.layers) + products + joints * _weights(model.head.mlp)
    assert [after - before for before, after in zip(costs, costs[1:])] == [further] * (len(costs) - 1)


def _weights(part: nn.Module) -> int:
    """How many weights its linears have."""
    return sum(each.weight.numel() for each in part.modules() if isinstance(each, nn.Linear))
