"""Parameter and multiply-add counts against layer-by-layer sums by hand."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.registry import init_default_scope

from sdpose.apis.complexity import complexity
from sdpose.config.load import load_config
from sdpose.errors import ConfigError

ROOT = Path(__file__).parents[2]
S_V1 = 'configs/sdpose/coco/sdpose-s-v1_stemnet_8xb64-300e_coco-256x192.py'


def stem_macs() -> int:
    half, quarter = 128 * 96, 64 * 48
    first, others = 64 * 64 + 9 * 64 * 64 + 64 * 256 + 64 * 256, 256 * 64 + 9 * 64 * 64 + 64 * 256
    return 9 * 3 * 64 * half + 9 * 64 * 64 * quarter + (first + 3 * others) * quarter


def cycle_macs(visual: int, depth: int, attention: bool) -> int:
    tokens = 17 + visual
    linear = tokens * (4 * 192 * 192 + 2 * 192 * 576)
    return depth * (linear + (2 * tokens * tokens * 192 if attention else 0))


HEAD_MACS = 17 * (192 * 384 + 384 * 3072)


@pytest.mark.parametrize(
    'overrides, visual, depth, cycles',
    [
        ({}, 256, 12, 2),
        ({'model.neck.depth': 6, 'model.neck.num_cycles': 3}, 256, 6, 3),
        ({'model.neck.patch_size': (2, 2)}, 768, 12, 2),
    ],
)
def test_true_multiply_adds_by_hand(overrides, visual, depth, cycles):
    init_default_scope('mmpose')
    counts = complexity(load_config(ROOT / S_V1, overrides))
    patches = 64 * 48 * 256 * 192  # every feature pixel meets every one of the 192 outputs once
    single = stem_macs() + patches + cycle_macs(visual, depth, True) + HEAD_MACS
    assert counts['inference']['macs'] == single
    assert counts['training']['macs'] == single + (cycles - 1) * (cycle_macs(visual, depth, True) + HEAD_MACS)
    assert counts['inference']['params'] == counts['training']['params']


def test_published_convention_by_hand():
    """Modules only: linears without bias, convolutions with it, norms twice and ReLU once per element."""
    init_default_scope('mmpose')
    counts = complexity(load_config(ROOT / S_V1))
    half, quarter = 128 * 96, 64 * 48
    patches = 64 * 48 * 256 * 192 + 192 * 256
    batch_norms = 2 * (64 * half + 64 * quarter + 4 * (64 + 64 + 256) * quarter + 256 * quarter)
    relus = 64 * half + 64 * quarter + 4 * (64 + 64 + 256) * quarter
    layer_norms = 2 * (12 * 2 * 273 * 192 + 17 * (192 + 384))
    expected = stem_macs() + patches + cycle_macs(256, 12, False) + HEAD_MACS + batch_norms + relus + layer_norms
    assert counts['inference']['macs_published'] == expected


def test_config_without_codec():
    config = load_config(ROOT / S_V1)
    config.pop('codec')
    config.model.head.pop('decoder')
    with pytest.raises(ConfigError, match='has no codec'):
        complexity(config)


def run(*arguments):
    return subprocess.run(
        [sys.executable, 'tools/analysis_tools/get_flops.py', *arguments], cwd=ROOT, capture_output=True, text=True
    )


@pytest.mark.long
def test_command_line():
    as_json = run(S_V1, '--json')
    assert as_json.returncode == 0, as_json.stderr
    counts = json.loads(as_json.stdout)
    assert counts['inference']['params'] == 6620736
    assert set(counts) == {'inference', 'training'}
    table = run(S_V1)
    assert '6.6207' in table.stdout and '2.4039' in table.stdout and '2.7261' in table.stdout
    assert '4.2985' in table.stdout  # what a training forward costs is labelled as such
    bad = run(S_V1, '--cfg-options', 'model.neck.patch_size=(5,3)')
    assert bad.returncode == 2
    assert 'patch_size (w, h)=(5, 3) does not divide' in bad.stderr and 'Traceback' not in bad.stderr


def test_counting_leaves_no_trace():
    from mmpose.registry import MODELS

    from sdpose.apis.complexity import count_macs

    init_default_scope('mmpose')
    model = MODELS.build(load_config(ROOT / S_V1).model).eval()
    before = count_macs(model, torch.zeros(1, 3, 256, 192), False)
    assert count_macs(model, torch.zeros(1, 3, 256, 192), False) == before
