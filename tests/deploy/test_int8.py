"""Files in 8 bits for ONNX Runtime: what is rounded, and in which form."""

from pathlib import Path

import numpy as np
import pytest
import torch
from families import pictures
from onnx_graphs import DEPTH, count, graph_of, loaded
from torch.nn import functional as F

from sdpose.deploy.export.blocks import over_blocks, split_into_blocks
from sdpose.deploy.export.formats.onnx import OnnxFormat, write_onnx
from sdpose.deploy.export.judge import run_graph
from sdpose.deploy.export.request import ExportRequest


@pytest.mark.parametrize('side', [1, 3, 5, 7])
def test_a_halving_convolution_over_blocks_has_the_same_sums(side: int) -> None:
    rng = np.random.default_rng(side)
    weight = rng.normal(size=(4, 3, side, side))
    image = torch.from_numpy(rng.normal(size=(2, 3, 10, 14)))
    kernel, (top, left, bottom, right) = over_blocks(weight)
    blocks = image.unflatten(3, (7, 2)).unflatten(2, (5, 2)).permute(0, 3, 5, 1, 2, 4).flatten(1, 3)  # (B, 4 C, h, w)
    wanted = F.conv2d(image, torch.from_numpy(weight), stride=2, padding=side // 2)
    found = F.conv2d(F.pad(blocks, (left, right, top, bottom)), torch.from_numpy(kernel))
    assert found.shape == wanted.shape and (found - wanted).abs().max() < 1e-12
    assert np.count_nonzero(kernel) == np.count_nonzero(weight)


def test_only_what_halves_an_image_of_even_sides_is_split(tmp_path: Path) -> None:
    import onnx

    write_onnx(graph_of('sdpose'), ExportRequest(opset=17), tmp_path / 'graph.onnx')
    model = onnx.load(tmp_path / 'graph.onnx')
    sides = model.graph.input[0].type.tensor_type.shape.dim
    first = next(node for node in model.graph.node if node.op_type == 'Conv')
    options = {each.name: each for each in first.attribute}
    sides[2].dim_value = 63
    assert not split_into_blocks(model)
    sides[2].dim_value = 64
    for name in ('strides', 'pads'):
        kept = list(options[name].ints)
        options[name].ints[:] = [2 - each for each in kept]  # (0, 0) and (1, 1, 1, 1)
        options[name].ints[0] += 1
        assert not split_into_blocks(model)
        options[name].ints[:] = kept
    assert split_into_blocks(model) and count(model)['SpaceToDepth'] == 1
    assert not split_into_blocks(model)
    onnx.checker.check_model(model)


@pytest.mark.parametrize('opset', [17, 18])
def test_int8_is_split_into_blocks_for_nothing(opset: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same integers are summed; the ranges of the calibration, which is in float32, differ in their last digit."""
    graph = graph_of('sdpose')
    images = pictures(graph.size[::-1], 4).numpy()
    request = ExportRequest(precision='int8', opset=opset)
    file = OnnxFormat().write(graph, request, tmp_path / 'split', '{}', images)
    assert count(loaded(file))['SpaceToDepth'] == 1
    monkeypatch.setattr('sdpose.deploy.export.int8.split_into_blocks', lambda model: False)
    whole = OnnxFormat().write(graph, request, tmp_path / 'whole', '{}', images)
    assert count(loaded(whole))['SpaceToDepth'] == 0
    one, other = (OnnxFormat().open(each, 'int8').run(images)[0] for each in (file, whole))
    exact = run_graph(graph)(images)[0]
    assert np.abs(one - other).mean() < 0.1 * np.abs(one - exact).mean()


@pytest.mark.parametrize(('opset', 'batch'), [(17, None), (18, None), (18, 1)])
def test_what_int8_leaves_to_do(opset: int, batch: int | None, tmp_path: Path) -> None:
    import onnx

    graph = graph_of('sdpose')
    images = pictures(graph.size[::-1], 4).numpy()
    write_onnx(graph, ExportRequest(opset=opset), tmp_path / 'full.onnx')
    before = count(loaded(tmp_path / 'full.onnx'))
    file = OnnxFormat().write(
        graph, ExportRequest(precision='int8', opset=opset, batch=batch), tmp_path / 'a', '{}', images
    )
    assert {node.domain for node in onnx.load(file).graph.node} <= {'', 'ai.onnx'}  # so that others run it, too
    model = loaded(file)
    found = count(model)
    assert found['QLinearConv'] == before['Conv'] and not found['Conv']
    # Queries, keys and values have no bias; the last layer has them in two, and behind it the head one linear.
    linears = 4 * DEPTH + 2
    assert found['QGemm'] + found['MatMulIntegerToFloat'] == linears and not found['Gemm']
    assert found['MatMul'] + found['FusedMatMul'] == 2 * DEPTH
    assert not found['QLinearMatMul'] and found['Softmax'] == DEPTH and found['Gelu'] == DEPTH
    made = {output: node.op_type for node in model.graph.node for output in node.output}
    rounded = [node for node in model.graph.node if node.op_type == 'QuantizeLinear']
    assert not any(made.get(node.input[0]) == 'DequantizeLinear' for node in rounded)
    # Every linear rounds what it reads, but for queries, keys and values, which share it, and so does the image.
    assert len(rounded) <= linears + 1
    assert found['DequantizeLinear'] <= 4  # the patches, which are concatenated and added in float32


def test_int8_leaves_the_decoding_alone(tmp_path: Path) -> None:
    import onnx

    graph = graph_of('sdpose', kind='joints')
    images = pictures(graph.size[::-1], 4).numpy()
    model = onnx.load(
        OnnxFormat().write(graph, ExportRequest(precision='int8', opset=17), tmp_path / 'a', '{}', images)
    )
    made = {output: node.op_type for node in model.graph.node for output in node.output}
    convolutions = [node for node in model.graph.node if node.op_type == 'Conv']
    full = [node for node in convolutions if not any(made.get(name) == 'DequantizeLinear' for name in node.input)]
    assert len(convolutions) > 2
    assert [any('blur_' in name for name in node.input) for node in full] == [True, True]  # by columns and by rows
