"""Files for ncnn."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from families import TINY

from sdpose.deploy.export.formats import BY_NAME

_FAMILIES = Path(__file__).with_name('ncnn_families.py')


@pytest.fixture(scope='module')
def of_families() -> dict[str, list]:
    """From a process of its own, in which nothing else was loaded before."""
    done = subprocess.run([sys.executable, _FAMILIES], capture_output=True, text=True)
    assert done.returncode == 0, f'{done.returncode}: {done.stderr[-2000:]}'
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.long
@pytest.mark.parametrize('name', TINY)
def test_every_family_answers_as_pytorch(name: str, of_families: dict[str, list]) -> None:
    """By ncnn's own defaults the linears of a classifier and of regression are held in half precision."""
    assert of_families[name]
    for has_shape, difference in of_families[name]:
        assert has_shape and difference <= 1e-5


def test_the_metadata_say_the_options_of_the_net(posed: SimpleNamespace, tmp_path: Path, run_tool: Callable) -> None:
    """By the tool, in a process of its own: ncnn has ended the one that it shared with other tests."""
    out, options = tmp_path / 'out', ('--format', 'ncnn', '--batch', 1)
    tool = 'tools/deploy/export.py'
    run_tool(tool, posed.folder / 'tiny.py', posed.folder / 'model.pth', '--out', out, *options, check=True)
    written = json.loads((out / 'metadata.json').read_text())['options']
    half = dict(use_fp16_packed=False, use_fp16_storage=False, use_fp16_arithmetic=False)
    assert written == dict(half, use_bf16_storage=False) == BY_NAME['ncnn'].options('fp16')
    assert BY_NAME['ncnn'].options('bf16') == dict(half, use_bf16_storage=True)
    report = json.loads((out / 'parity.json').read_text())
    assert report['runtime'].endswith('f32') and report['joints']['difference'] < 0.05
