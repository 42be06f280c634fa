"""Histograms of weights by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.config import Config
from torch import nn

from sdpose.apis.inspection.crop import LoadedModel
from sdpose.apis.inspection.parameters import parameter_histogram
from sdpose.errors import UserError


class _Model(nn.Module):
    """Two layers and a head, with weights that are given."""

    def __init__(self, first: list[float], head: list[float]) -> None:
        super().__init__()
        self.neck = nn.Module()
        self.neck.layers = nn.ModuleList([nn.Linear(2, len(first) // 2), nn.Linear(1, 1)])
        self.head = nn.ModuleDict(dict(fc=nn.Linear(len(head), 1)))
        with torch.no_grad():
            self.neck.layers[0].weight.copy_(torch.tensor(first).view(-1, 2))
            self.neck.layers[1].weight.fill_(0.5)
            self.head['fc'].weight.copy_(torch.tensor([head]))
            for layer in (*self.neck.layers, self.head['fc']):
                layer.bias.zero_()  # would count as near zero


def _loaded(name: str, model: Any) -> LoadedModel:
    return LoadedModel(Config(), 'by-hand', Path(f'{name}.pth'), frozenset(), model, (), {})


def test_shares_are_those_by_hand() -> None:
    one = _loaded('one', _Model([0.0, 0.1, -0.1, 0.3, -0.3, 0.1001], [1.0, 2.0]))
    two = _loaded('two', _Model([0.0, 0.0], [0.05, 2.0]))
    found = parameter_histogram(one, two, near_zero=0.1)
    near = {(row['layer'], row['checkpoint']): row['near_zero'] for row in found.table}
    assert near == {
        ('neck.layers.0', 'one'): 0.5,
        ('neck.layers.0', 'two'): 1.0,
        ('neck.layers.1', 'one'): 0.0,
        ('neck.layers.1', 'two'): 0.0,
        ('head.fc', 'one'): 0.0,
        ('head.fc', 'two'): 0.5,
    }
    assert [row['weights'] for row in found.table] == [6, 2, 1, 1, 2, 2]
    shares, edges = found.arrays['shares'], found.arrays['edges']
    assert shares.shape == (2, 3, 121) and edges.shape == (3, 122)
    np.testing.assert_allclose(shares.sum(axis=-1), 1)
    assert shares[1, 0, 60] == 1.0 and edges[0, 60] < 0 < edges[0, 61]  # both are zero
    titles = [axes.get_title() for axes in found.figure.axes]
    assert titles == [
        'neck.layers.0\n50% | 100% near zero',
        'neck.layers.1\n0% | 0% near zero',
        'head.fc\n0% | 50% near zero',
    ]
    assert 'one 16.7%, two 50.0%' in found.summary


def test_a_layer_that_only_one_has(loaded: Callable) -> None:
    found = parameter_histogram(loaded('ppt'), loaded('sdpose'))
    names = found.arrays['layers'].tolist()
    assert 'neck.layers.2' in names and np.isnan(found.arrays['shares'][1, names.index('neck.layers.2')]).all()
    assert not np.isnan(found.arrays['shares'][:, names.index('neck.layers.0')]).any()
    rows = [row['checkpoint'] for row in found.table if row['layer'] == 'neck.layers.2']
    assert (
        rows == ['ppt'] and 'ppt-tiny' in found.figure.get_suptitle() and 'sdpose-tiny' in found.figure.get_suptitle()
    )


@pytest.mark.parametrize('name, layer', [('ikd', 'backbone.layer3'), ('deit', 'neck.layers.0'), ('rle', 'head.fc')])
def test_one_layer_of_any_model(name: str, layer: str, loaded: Callable) -> None:
    found = parameter_histogram(loaded(name), layer=layer)
    assert found.arrays['layers'].tolist() == [layer] and len(found.figure.axes) == 1
    keys = [
        key for key, value in loaded(name).model.named_parameters() if value.ndim > 1 and key.startswith(f'{layer}.')
    ]
    assert found.table[0]['weights'] == sum(loaded(name).model.get_parameter(key).numel() for key in keys)


def test_bad_input_is_named(loaded: Callable) -> None:
    with pytest.raises(
        UserError, match=r"^'neck.layers.9' is no layer of sdpose-tiny.*: choose one of backbone.conv1, "
    ):
        parameter_histogram(loaded('sdpose'), layer='neck.layers.9')
    for limit in (0, -1, float('nan'), float('inf')):
        with pytest.raises(UserError, match='near zero is a positive number'):
            parameter_histogram(loaded('sdpose'), near_zero=limit)
