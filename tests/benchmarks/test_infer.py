"""``benchmark.py infer``: what is compared is equal, parts add up, others are the published models."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

from sdpose.benchmarks.infer import peers, profile, scale, subjects, variants
from sdpose.deploy.optimize import deploy
from sdpose.errors import ConfigError, UserError

TINY = 'sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48'
DEIT = 'sdpose-deit-mini_1xb64-30e_shapes-40x40'
PPT = 'ppt-tiny_stemnet_1xb32-30e_synthetic-64x48'
T = 'sdpose-t_stemnet_8xb64-300e_coco-256x192'
B = 'sdpose-b_hrnet-w32_8xb32-300e_coco-256x192'


@pytest.mark.long
def test_every_table_of_one_model_is_written(run_tool: Callable, tmp_path: Path) -> None:
    files = dict(json=tmp_path / 'b.json', markdown=tmp_path / 'b.md', plot=tmp_path / 'cost.png')
    options = [word for name, file in files.items() for word in (f'--{name}', file)]
    run_tool(
        *('tools/analysis_tools/benchmark.py', 'infer', TINY, '--quick', '--profile', '--shipping'),
        *('--runtimes', 'torch', 'onnx', 'openvino', *options),
        check=True,
    )
    inference, parts, cost_to_ship, cost = json.loads(files['json'].read_text())
    rows = {row['variant']: row for row in inference['rows']}
    frameworks = {'torch': ('by hand', 'plain', 'deployed'), 'onnx': ('plain', 'deployed')}
    frameworks['openvino'] = ('plain', 'deployed', 'deployed bf16')
    assert list(rows) == [f'{name}, {kind}' for name, kinds in frameworks.items() for kind in kinds]
    for name, row in rows.items():
        assert row['ms'] > 0
        assert float(row['difference']) <= (0.05 if 'bf16' in name else 1e-5), name
    assert rows['torch, by hand']['x by hand'] == 1
    assert [row['part'] for row in parts['rows']] == [
        *('backbone', 'tokenizer', 'layer 1, query tokens alone', 'head', 'decode', 'all')
    ]
    for row in cost_to_ship['rows']:
        assert 0 < row['folder MiB'] < 5
        assert 50 < row['memory MiB'] < 800
    kinds = [row['what'] for row in cost['rows']]
    assert kinds.count('tokens') == kinds.count('images at a time') == 3
    assert 'threads' in kinds
    assert files['plot'].read_bytes().startswith(b'\x89PNG')
    text = files['markdown'].read_text()
    assert 'GFLOP/s in float32' in text
    assert '| sdpose-tiny | torch, by hand' in text


@pytest.mark.parametrize('config', [T, B])
def test_the_baseline_by_hand_predicts_what_the_model_does(config: str) -> None:
    subject = subjects.ours(config, None)
    image = torch.rand(2, 3, *subject.size, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        wanted, found = subject.model(image, None, mode='tensor'), subjects.ByHand(subject)(image)
    assert wanted.std() > 0.01
    assert_close(found, wanted, atol=2e-5, rtol=1e-4)


def test_a_model_with_a_pruner_has_no_baseline_by_hand() -> None:
    assert not subjects.ByHand.knows(subjects.ours(PPT, None).model)


def test_parts_do_all_the_work_that_is_not_left_out() -> None:
    subject = subjects.ours(T, None)
    image = torch.rand(1, 3, *subject.size)
    work = profile._work(deploy(subject.model, subject.size, open_attention=False), image)
    dim, tokens, queries, layers = 192, 256 + 17, 17, 6
    # One layer by hand: four linears of attention, two of the feed-forward half, two products of attention.
    attention = tokens * 4 * dim**2 + 2 * tokens**2 * dim
    assert work['layer 1, attention'] / 2 == attention
    assert work['layer 1, feed-forward'] / 2 == 6 * tokens * dim**2
    last = tokens * 2 * dim**2 + queries * (2 + 6) * dim**2 + 2 * queries * tokens * dim
    assert work[f'layer {layers}, query tokens alone'] / 2 == last
    left_out = attention + 6 * tokens * dim**2 - last
    assert sum(work.values()) // 2 == subject.macs - left_out


def test_others_have_the_published_sizes_and_results() -> None:
    # Millions of parameters and AP of the models' papers or model cards.
    expected = {
        'RTMPose-t': (3.34, 68.2),
        'RTMPose-s': (5.47, 71.6),
        'RTMPose-m': (13.59, 74.6),
        'SimpleBaseline-R50': (34.0, 71.8),
        'HRNet-W32': (28.5, 74.6),
        'ViTPose-S': (24.0, 73.9),
    }
    found = {each.name: each for each in peers.all_peers()}
    assert found.keys() == expected.keys()
    for name, (millions, ap) in expected.items():
        count = sum(parameter.numel() for parameter in found[name].model.parameters()) / 1e6
        assert count == pytest.approx(millions, rel=0.02), name
        assert found[name].ap == pytest.approx(ap)
    assert found['ViTPose-S'].macs == pytest.approx(5.5e9, rel=0.1)


def _measured(name: str, seconds: float, ap: float | None) -> variants.Measured:
    subject = subjects.Subject(name, None, (1, 1), 1, ap, True)
    times = {'a, plain': [seconds], 'a, deployed bf16': [0.0], 'a, deployed int8': [0.0]}
    return variants.Measured(subject, 1, times, {}, {})


def test_the_front_is_who_nobody_beats_in_both() -> None:
    models = [_measured('slow', 0.02, 70.0), _measured('ahead', 0.01, 71.0), _measured('best', 0.03, 75.0)]
    rows = {row['model']: row for row in peers.front([*models, _measured('unknown', 0.001, None)], '').rows}
    assert {name: row['on the front'] for name, row in rows.items()} == dict(ahead='yes', slow='no', best='yes')
    assert rows['slow']['misses it by'] == '100% of time and 1.0 AP (ahead)'


def test_int8_is_timed_beside_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = variants.Plan(('onnx',), 1, 1, 1, False, int8=True)
    result = variants.measure(subjects.ours(TINY, None), plan)
    assert list(result.times) == ['onnx, plain', 'onnx, deployed', 'onnx, deployed int8']
    assert 1e-5 < result.differences['onnx, deployed int8'] < 0.5
    rows = variants.table([result], '').rows
    assert [row['share of peak'] is None for row in rows] == [False, False, True]
    monkeypatch.setattr('sdpose.deploy.export.formats.base.find_spec', lambda name: name != 'nncf' or None)
    assert variants.installed(('torch', 'openvino', 'ncnn'), ()) == ('torch', 'openvino', 'ncnn')
    assert variants.installed(('torch', 'onnx', 'ncnn'), (), True) == ('torch', 'onnx', 'ncnn')
    with pytest.raises(ConfigError, match='--format openvino --precision int8 needs the package nncf'):
        variants.installed(('torch', 'openvino'), (), True)


def test_patches_are_those_that_fit_a_map() -> None:
    assert sorted(scale.by_tokens(subjects.ours(TINY, None))) == [16, 48, 64]
    assert sorted(scale.by_tokens(subjects.ours(DEIT, None))) == [400]


def test_a_map_that_no_patch_fits_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scale, '_PATCHES', ((5, 5),))
    with pytest.raises(UserError, match='--plot: the map of sdpose-tiny, 12 x 16 cells, is cut by none of .* 5 x 5'):
        scale.by_tokens(subjects.ours(TINY, None))


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['--checkpoint', 'a.pth', 'b.pth'], '--checkpoint names 2 files for 1 configs'),
        (['--batch', '0'], '--batch 0: give at least 1'),
        (['--plot', 'picture'], '--plot picture: name a picture, such as picture.png'),
        (['--plot', 'p.foo'], '--plot p.foo: name a picture, such as p.png; drawn are '),
    ],
)
def test_wrong_options_are_one_line(run_tool: Callable, options: list[str], message: str) -> None:
    done = run_tool('tools/analysis_tools/benchmark.py', 'infer', TINY, *options)
    assert done.returncode == 2
    assert done.stderr.startswith(f'error: {message}')
    assert len(done.stderr.splitlines()) == 1
