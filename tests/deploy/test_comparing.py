"""Decoding by comparison and products, the form for ncnn."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from test_export import CODEC, graph_of, peaks
from torch import nn

from sdpose.deploy.export import ExportRequest
from sdpose.deploy.export.comparing import ComparingDecoder, compared, one_hot
from sdpose.deploy.export.decoding import HeatmapDecoder
from sdpose.deploy.export.formats import BY_NAME
from sdpose.errors import ConfigError

CODECS = [dict(CODEC, unbiased=True), dict(CODEC, unbiased=False), dict(CODEC, type='UDPHeatmap')]
TIES = ((30, 7), (10, 12), (10, 10))  # of equal heights: the first row, and in it the first column, wins


def crowded() -> torch.Tensor:
    """Noisy Gaussians, one map of them with ties, one of nothing, one of zeros."""
    maps = peaks(51)
    for row, column in TIES:
        maps[0, 4, row, column] = 2.0
    maps[0, 5] = 0
    return maps


@pytest.mark.parametrize('codec', CODECS)
def test_the_joints_are_those_of_argmax(codec: dict[str, Any]) -> None:
    maps = crowded()
    wanted, found = (kind(codec)(maps) for kind in (HeatmapDecoder, ComparingDecoder))
    assert torch.allclose(wanted[0], found[0], rtol=0, atol=1e-4) and torch.equal(wanted[1], found[1])
    assert torch.isfinite(found[0]).all()
    cell = (found[0][0, 4] / torch.tensor([4.0, 4.0])).round()
    assert (cell - torch.tensor([10.0, 10.0])).abs().max() <= 1


def test_places_by_hand() -> None:
    decoder = ComparingDecoder(dict(CODEC, heatmap_size=(4, 3)))
    maps = torch.tensor([[[[0.0, 1, 0, 0], [0, 3, 2, 3], [3, 0, 0, 1]]]])
    scores, column, row = decoder._peak(maps)
    assert (scores.item(), column.item(), row.item()) == (3, 1, 1)
    # The least differences of float32 count, and -0 is no other number than 0.
    above = torch.tensor(0.01).nextafter(torch.tensor(1.0))
    scores, column, row = decoder._peak(torch.tensor([[[[0.01, -0.0, 0.0, 0.01], [0, 0, float(above), 0], [0] * 4]]]))
    assert (column.item(), row.item()) == (2, 1)
    assert one_hot(torch.tensor([[[2.0]]]), 4).tolist() == [[[0, 0, 1, 0]]]
    assert one_hot(torch.tensor([[[2.0, 0.0]]]), 3).tolist() == [[[[0, 0, 1], [1, 0, 0]]]]


def test_what_decodes_nothing_is_left_as_it_is() -> None:
    graph, _, _ = graph_of('sdpose')
    assert compared(graph) is graph
    graph, _, _ = graph_of('sdpose', 'joints')
    assert type(compared(graph).decoder) is ComparingDecoder and type(graph.decoder) is HeatmapDecoder


class Maps(nn.Module):
    """Passes heatmaps (1, 17, 64, 48) on to a decoder, by a convolution that changes nothing."""

    size, kind, names = (48, 64), 'joints', ('keypoints', 'scores')

    def __init__(self, codec: dict[str, Any]) -> None:
        super().__init__()
        self.decoder = HeatmapDecoder(codec)
        self.same = nn.Conv2d(17, 17, 1, groups=17, bias=False).requires_grad_(False)
        self.same.weight.fill_(1)

    def example(self, batch: int) -> tuple[torch.Tensor, ...]:
        return (crowded()[:, :17],)

    def forward(self, maps: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.decoder(self.same(maps))


@pytest.mark.parametrize('codec', CODECS)
def test_in_ncnn(codec: dict[str, Any], tmp_path: Path) -> None:
    to, graph, maps = BY_NAME['ncnn'], Maps(codec), crowded()
    file = to.write(graph, ExportRequest(('ncnn',), batch=1), tmp_path / 'maps', '', None)  # type: ignore[arg-type]
    session = to.open(file, 'fp32')
    for start in range(0, 51, 17):
        part = maps[:, start : start + 17]
        joints, scores = session.run(part.numpy())
        wanted, heights = graph(part)
        assert joints.shape == (1, 17, 2) and np.abs(joints - wanted.numpy()).max() < 1e-3
        np.testing.assert_array_equal(scores, heights.numpy())


def test_bf16_is_refused(tmp_path: Path) -> None:
    graph, _, _ = graph_of('sdpose', 'joints')
    with pytest.raises(ConfigError, match='--precision bf16: ncnn would decode heatmaps in it'):
        BY_NAME['ncnn'].write(graph, ExportRequest(('ncnn',), 'bf16', batch=1), tmp_path / 'file', '', None)
