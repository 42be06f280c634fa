"""Files for ncnn."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from families import TINY, pictures
from test_export import graph_of

from sdpose.config.nodes import input_size
from sdpose.deploy.export import ExportRequest, export
from sdpose.deploy.export.formats import BY_NAME


@pytest.mark.long
@pytest.mark.parametrize('name', TINY)
def test_every_family_answers_as_pytorch(name: str, tmp_path: Path) -> None:
    """By ncnn's own defaults the linears of a classifier and of regression are held in half precision."""
    graph, _, cfg = graph_of(name)
    image = pictures(input_size(cfg)[::-1], 1)
    to = BY_NAME['ncnn']
    file = to.write(graph, ExportRequest(('ncnn',), batch=1), tmp_path / name, '', None)
    found = to.open(file, 'fp32').run(image.numpy())
    with torch.no_grad():
        wanted = graph(image)
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted):
        assert one.shape == other.shape
        assert np.abs(one - other.numpy()).max() <= 1e-5 * max(1, float(other.abs().max()))


def test_the_metadata_say_the_options_of_the_net(posed: SimpleNamespace, tmp_path: Path) -> None:
    config, weights = str(posed.folder / 'tiny.py'), str(posed.folder / 'model.pth')
    (done,) = export(config, weights, str(tmp_path / 'out'), ExportRequest(('ncnn',), batch=1))
    options = json.loads((tmp_path / 'out/metadata.json').read_text())['options']
    half = dict(use_fp16_packed=False, use_fp16_storage=False, use_fp16_arithmetic=False)
    assert options == dict(half, use_bf16_storage=False) == BY_NAME['ncnn'].options('fp16')
    assert BY_NAME['ncnn'].options('bf16') == dict(half, use_bf16_storage=True)
    assert done.report['runtime'].endswith('f32') and done.report['joints']['difference'] < 0.05
