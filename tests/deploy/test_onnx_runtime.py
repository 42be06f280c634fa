"""The forms of a graph that ONNX Runtime is fastest with: the same answers, and what it makes of them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from families import pictures
from onnx_graphs import DEPTH, count, graph_of, loaded
from torch import nn
from torch.nn import functional as F

from sdpose.deploy.export.alone import alone
from sdpose.deploy.export.formats.onnx import OnnxFormat, write_onnx
from sdpose.deploy.export.request import ExportRequest
from sdpose.deploy.single_pass import PlainLayer


@pytest.mark.parametrize('opset', [17, 18, 19, 20])
def test_a_gelu_is_one_step_in_every_opset(opset: int, tmp_path: Path) -> None:
    write_onnx(graph_of('sdpose'), ExportRequest(opset=opset), tmp_path / 'graph.onnx')
    found = count(loaded(tmp_path / 'graph.onnx'))
    assert found['Gelu'] == DEPTH and not found['Erf']


@pytest.mark.parametrize('approximate', ['none', 'tanh'])
def test_a_gelu_answers_as_pytorchs(approximate: str, tmp_path: Path) -> None:
    class Bent(nn.Module):
        """A graph of a GELU alone."""

        inputs, names = ('image',), ('bent',)

        def example(self, batch: int) -> tuple[torch.Tensor]:
            return (torch.zeros(batch, 400),)

        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor]:
            return (F.gelu(x, approximate=approximate),)

    write_onnx(Bent(), ExportRequest(), tmp_path / 'graph.onnx')  # type: ignore[arg-type]
    x = torch.linspace(-6, 6, 400)[None]
    (found,) = OnnxFormat().open(tmp_path / 'graph.onnx', 'fp32').run(x.numpy())
    assert np.abs(found - F.gelu(x, approximate=approximate).numpy()).max() < 1e-6


@pytest.mark.parametrize('name', ['sdpose', 'ppt', 'evit', 'reg', 'simcc', 'deit', 'ikd'])
def test_a_graph_of_one_image_answers_the_same(name: str) -> None:
    graph = graph_of(name)
    single = alone(graph, 1)
    image = pictures(graph.size[::-1], 1)
    with torch.no_grad():
        wanted, found = graph(image), single(image)
    assert all((one - other).abs().max() <= 1e-5 * max(1, one.abs().max()) for one, other in zip(wanted, found))
    layers = [part for part in single.modules() if type(part) is PlainLayer]
    pruned = name in ('ppt', 'evit')
    assert sum(layer.alone for layer in layers) == (len(layers) - 1 if pruned else len(layers))
    assert (single is graph) == (name == 'ikd')
    assert not any(getattr(part, 'alone', False) for part in graph.modules())


def test_a_graph_of_more_images_keeps_the_batch() -> None:
    graph, mirrored = graph_of('sdpose'), graph_of('sdpose', inside=True)
    assert alone(graph, None) is graph and alone(graph, 2) is graph and alone(mirrored, 1) is mirrored


def test_attention_reads_one_images_heads_in_place(tmp_path: Path) -> None:
    graph = graph_of('sdpose')
    found = {}
    for batch in (1, 2):
        file = OnnxFormat().write(graph, ExportRequest(batch=batch), tmp_path / f'{batch}', '{}', None)
        found[batch] = count(loaded(file))
    # Queries, keys and values are copied no more; what attention read still is.
    assert found[2]['Transpose'] - found[1]['Transpose'] == 3 * DEPTH
    assert found[1]['FusedMatMul'] == 2 * DEPTH
