"""Released checkpoints: every model is found and filled, numbers survive, and what is no such file says so."""

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import released_layout as released
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from torch.testing import assert_close

from sdpose.converters import convert_file, convert_model, convert_weights
from sdpose.errors import CheckpointError, MismatchError, NonFiniteError, UserError

QUICK_START = 'quick_start/sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48'
DATA = Path(__file__).parents[1] / 'data'
# The weights of whole token modules: two in the repository, all of them beside it where that folder exists.
WHOLE = [
    (folder, name)
    for folder, names in (
        (DATA, ('sdpose_cycle2_twolayer', 'ppt_depth5_onelayer')),
        (
            Path(__file__).parents[3] / 'shared' / 'fixtures',
            ('sdpose_cycle2_twolayer', 'tokenpose_sinefull_twolayer', 'ppt_depth5_onelayer', 'distilpose_all_onelayer'),
        ),
    )
    for name in names
    if (folder / f'{name}.npz').is_file()
]
OUTPUTS = {
    'sdpose_cycle2_twolayer': {'cycle1/kpt_token': 'query', 'cycle1/vis_token': 'visual', 'cycle1/pred': 'heatmap'},
    'tokenpose_sinefull_twolayer': {'kpt_token': 'query', 'vis_token': 'visual', 'pred': 'heatmap'},
    'ppt_depth5_onelayer': {'ratio0.7/kpt_token': 'query', 'ratio0.7/vis_token': 'visual', 'ratio0.7/pred': 'heatmap'},
    'distilpose_all_onelayer': {
        'kpt_token': 'query',
        'vis_token': 'visual',
        'pred': 'coords',
        'score': 'score',
        'sigma': 'sigma',
    },
}


def fingerprints(tensors) -> Counter:
    """Sizes and exact sums, which tell random tensors apart."""
    return Counter((tensor.numel(), tensor.double().sum().item()) for tensor in tensors)


def test_the_table_has_the_published_numbers_of_keys(repo_root: Path):
    assert len(released.stem_net()) == 90
    arrays = np.load(repo_root / 'tests/data/hrnet3stage_formula.npz')
    for name, stage1 in (('w32_cfg_stage1_32', 32), ('w32_stage1_64', 64)):
        expected = json.loads(str(arrays[f'{name}/keys_json']))
        shapes = {key: list(shape) for key, shape in released.hrnet(32, stage1, 3).items()}
        assert len(shapes) == 930 and shapes == {key: list(shape) for key, shape in expected.items()}
    for depth, head, count in ((12, 'heatmap', 144), (6, 'heatmap', 78), (12, '5', 140)):
        assert len(released.token_module('transformer', depth, 17, 256, 3072, head)) == count


@pytest.mark.parametrize('name', released.MODELS)
def test_every_released_model_is_found_and_filled(name: str):
    state = released.full_size(name)
    rows, columns = released.MODELS[name][3]
    tables = np.load(DATA / 'sine_pos_embedding.npz')  # as the released code computes it, in float32
    key = next(key for key in state if key.endswith('pos_embedding'))
    state[key] = torch.from_numpy(tables[f'pos_h{rows}_w{columns}_d192'])[None]
    conversion = convert_weights(state, 'x.pth')
    assert conversion.chosen.file.stem == released.MODELS[name][-1]
    assert 1e-7 < conversion.position_error <= 1e-6
    weights = conversion.model.state_dict()
    # Nothing is lost, doubled or left at its initial value: same numbers, one tensor (the code) less.
    same = {key: value for key, value in state.items() if 'pos_embedding' not in key and 'patch_to' not in key}
    assert fingerprints(same.values()) == fingerprints(
        value for key, value in weights.items() if 'patch_embed' not in key
    )
    stored = next(value for key, value in state.items() if key.endswith('patch_to_embedding.weight'))
    convolution = weights['neck.tokenizer.patch_embed.weight']
    _, channels, height, width = convolution.shape
    for out, channel, row, column in ((0, 0, 0, 0), (7, 3, 1, 0), (191, channels - 1, height - 1, width - 1)):
        assert convolution[out, channel, row, column] == stored[out, (row * width + column) * channels + channel]


def test_what_the_keys_cannot_tell_is_said():
    state = released.full_size('sdpose-s-v1')
    shared = convert_weights(state, 'x.pth')
    assert shared.method == 'SDPose or PPT'
    assert 'ppt-s_stemnet_8xb64-300e_coco-256x192' in shared.alternatives
    report = shared.report()
    assert 'SDPose was taken. For a PPT checkpoint name its config with --config.' in report
    assert re.search(r'config +configs/sdpose/coco/sdpose-s-v1_stemnet_8xb64-300e_coco-256x192.py \(found\)', report)
    forced = convert_weights(state, 'x.pth', 'ppt-s_stemnet_8xb64-300e_coco-256x192')
    assert forced.forced and forced.model.neck.pruner is not None and 'as given' in forced.report()
    for key, value in shared.model.state_dict().items():
        assert torch.equal(value, forced.model.state_dict()[key])


@pytest.fixture
def small(repo_root: Path, tmp_path: Path) -> Callable[..., Path]:
    """Writes a config for the quick start's model, or a fixture's, with overrides of its parts."""

    def write(**model: dict) -> Path:
        path = tmp_path / f'small{len(list(tmp_path.iterdir()))}.py'
        path.write_text(f'_base_ = "{repo_root}/configs/{QUICK_START}.py"\nmodel = {model!r}\n')
        return path

    return write


def test_another_number_of_joints(small: Callable):
    state = released.quick_start(joints=14)
    conversion = convert_weights(state, 'x.pth', str(small(neck=dict(num_queries=14))))
    assert conversion.model.neck.tokenizer.query.shape == (1, 14, 64)
    with pytest.raises(MismatchError, match=r'shape +neck.tokenizer.query +1x17x64 +1x14x64'):
        convert_weights(state, 'x.pth', QUICK_START)


@pytest.mark.parametrize('name', ['sdpose-s-v1', 'sdpose-s-v2', 'tokenpose-s-v1', 'tokenpose-s-v2'])
def test_crowdpose_is_told_by_its_joints(name: str):
    conversion = convert_weights(released.full_size(name, joints=14), 'x.pth')
    coco = released.MODELS[name][-1]
    assert conversion.chosen.file.stem == coco.replace('coco', 'crowdpose')
    assert re.search(r'joints +14 \(ArrayCrowdPoseDataset\)', conversion.report())


def test_a_learned_position_is_a_weight(small: Callable):
    state = released.quick_start()
    key = 'keypoint_head.tokenpose.pos_embedding'
    state[key] = torch.randn(1, 17 + 48, 64)
    conversion = convert_weights(state, 'x.pth', str(small(neck=dict(position='learnable'))))
    assert torch.equal(conversion.model.neck.tokenizer.position, state[key])
    assert conversion.position_error is None and 'learned' in conversion.report()


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_and_files_without_batch_counters_load(dtype: torch.dtype):
    state = {
        key: value.to(dtype) if value.is_floating_point() else value
        for key, value in released.quick_start().items()
        if 'num_batches' not in key
    }
    conversion = convert_weights(state, 'x.pth', QUICK_START)
    model = conversion.model
    assert 1e-6 < conversion.position_error <= torch.finfo(dtype).eps / 2  # rounding of numbers up to 1
    assert_close(model.backbone.conv1.weight, state['backbone.conv1.weight'].float(), rtol=0, atol=0)


def fixture_config(fixture: dict, small: Callable) -> Path:
    """The config of a fixture's token module behind a random narrow stem."""
    config = json.loads(str(fixture['config_json']))
    (height, width), (rows, columns) = config['feature_size'], config['patch_size']
    neck = dict(
        in_channels=config['channels'],
        feature_size=(width, height),
        patch_size=(columns, rows),
        num_queries=config['num_keypoints'],
        dim=config['dim'],
        depth=config['depth'],
        num_heads=config['heads'],
        num_cycles=config.get('cycle_num', 1),
        pruner=dict(type='TokenPruner') if 'keep_ratio' in config else None,
    )
    if 'out_mode' in config:
        head = dict(
            _delete_=True,
            type='TokenRegHead',
            in_channels=config['dim'],
            mode=config['out_mode'],
            hidden=config['hidden_dim'],
            decoder=dict(type='RegressionLabel', input_size=(192, 256)),
        )
    else:
        rows, columns = config['heatmap_size']
        head = dict(
            in_channels=config['dim'],
            decoder=dict(
                _delete_=True,
                type='MSRAHeatmap',
                input_size=(4 * columns, 4 * rows),
                heatmap_size=(columns, rows),
                sigma=2,
            ),
        )
    return small(backbone=dict(stem_channels=config['channels'] // 4), neck=neck, head=head, distiller=None)


def released_state(weights: dict, module: str, channels: int) -> dict:
    """A released checkpoint's tensors: those of a token module, and a random stem before it."""
    state = {
        f'keypoint_head.{module}.{key[2:]}': torch.from_numpy(value)
        for key, value in weights.items()
        if key.startswith('w/')
    }
    stem = {f'backbone.{key}': shape for key, shape in released.stem_net(channels // 4, 1).items()}
    return {**state, **released.random_weights(stem, (1, 1))}


def check_outputs(model: torch.nn.Module, fixture: dict, outputs: dict[str, str]) -> None:
    with torch.no_grad():
        tokens = model.neck([torch.from_numpy(fixture['feature'])])
        prediction = model.head(tokens)
    found = dict(query=tokens.output.query, visual=tokens.output.visual, heatmap=prediction)
    for key, attribute in outputs.items():
        value = found[attribute] if attribute in found else getattr(prediction, attribute)
        assert_close(value, torch.from_numpy(fixture[key]), atol=2e-5, rtol=1e-4)


@pytest.mark.parity
@pytest.mark.parametrize('folder, name', WHOLE, ids=lambda part: getattr(getattr(part, 'parent', part), 'name', part))
def test_numbers_of_the_released_code_survive(folder: Path, name: str, small: Callable):
    fixture = dict(np.load(folder / f'{name}.npz', allow_pickle=False))
    state = released_state(
        fixture,
        'tokenhead' if 'distilpose' in name else 'tokenpose',
        json.loads(str(fixture['config_json']))['channels'],
    )
    model = convert_weights(state, 'x.pth', str(fixture_config(fixture, small))).model
    check_outputs(model, fixture, OUTPUTS[name])


@pytest.mark.parity
def test_a_tokenposes_numbers_survive(small: Callable):
    """The released weights under TokenPose's keys: one pass is the released first cycle."""
    fixture = dict(np.load(DATA / 'sdpose_cycle2_twolayer.npz', allow_pickle=False))
    config = {**json.loads(str(fixture['config_json'])), 'cycle_num': 1}
    fixture['config_json'] = json.dumps(config)
    weights = {key.replace('transformer_layer1.', 'transformer.'): value for key, value in fixture.items()}
    state = released_state(weights, 'tokenpose', config['channels'])
    assert sum('.transformer.' in key for key in state) == 11 * config['depth']
    model = convert_weights(state, 'x.pth', str(fixture_config(fixture, small))).model
    check_outputs(model, fixture, OUTPUTS['sdpose_cycle2_twolayer'])


@pytest.mark.parity
def test_a_distilposes_numbers_survive(small: Callable):
    """SDPose's released layers under DistilPose's keys, and its own head."""
    trunk = dict(np.load(DATA / 'sdpose_cycle2_twolayer.npz', allow_pickle=False))
    fixture = dict(np.load(DATA / 'distilpose_all_onelayer.npz', allow_pickle=False))
    weights = {
        key.replace('transformer_layer1.', 'transformer.'): value
        for key, value in trunk.items()
        if 'mlp_head' not in key
    }
    weights.update((key, value) for key, value in fixture.items() if key.startswith('w/'))
    channels = json.loads(str(fixture['config_json']))['channels']
    state = released_state(weights, 'tokenhead', channels)
    model = convert_weights(state, 'x.pth', str(fixture_config(fixture, small))).model
    check_outputs(model, trunk, {'cycle1/kpt_token': 'query', 'cycle1/vis_token': 'visual'})
    with torch.no_grad():
        regression = model.head.activate(model.head.mlp(torch.from_numpy(fixture['kpt_token'])))
    for key, value in dict(pred=regression.coords, score=regression.score, sigma=regression.sigma).items():
        assert_close(value, torch.from_numpy(fixture[key]), atol=2e-5, rtol=1e-4)


def without(key: str) -> Callable:
    return lambda state: state.pop(key)


@pytest.mark.parametrize(
    'damage, message',
    [
        (
            without('keypoint_head.tokenpose.transformer_layer1.layers.0.0.fn.fn.to_qkv.weight'),
            r'1 keys missing, 0 unexpected(.|\n)*missing +neck.layers.0.attn.qkv.weight +192x64',
        ),
        (without('keypoint_head.tokenpose.pos_embedding'), r'1 keys missing(.|\n)*missing +pos_embedding +1x48x64'),
        (without('backbone.conv2.weight'), r'1 keys missing(.|\n)*missing +backbone.conv2.weight +16x16x3x3'),
        (
            lambda state: state.update({'neck.conv.weight': torch.zeros(3)}),
            r'1 unexpected(.|\n)*neck.conv.weight +- +3',
        ),
        (
            lambda state: state.update(
                {'keypoint_head.tokenpose.transformer.layers.0.0.fn.norm.weight': torch.zeros(64)}
            ),
            r'0 keys missing, 1 unexpected(.|\n)*unexpected +keypoint_head.tokenpose.transformer.layers.0.0.fn.norm',
        ),
        (
            lambda state: state.update({'keypoint_head.tokenpose.patch_to_embedding.weight': torch.zeros(64, 50)}),
            r'1 of another shape(.|\n)*neck.tokenizer.patch_embed.weight +64x64x2x2 +64x50',
        ),
        (
            lambda state: state.update({'keypoint_head.tokenpose.pos_embedding': torch.zeros(1, 30, 64)}),
            r'1 of another shape(.|\n)*shape +pos_embedding +1x48x64 +1x30x64',
        ),
        (
            lambda state: state.update({'keypoint_head.tokenpose.pos_embedding': released.sine_table(6, 8, 64)[None]}),
            r'pos_embedding differs by [\d.]+e[+-]\d+ from the sine code of .*another patch grid',
        ),
        (
            lambda state: state['backbone.conv1.weight'].fill_(float('nan')),
            r'x.pth holds NaN or infinite numbers in 1 of \d+ tensors .first: backbone.conv1.weight.',
        ),
    ],
)
def test_incomplete_and_foreign_parts_are_listed(damage: Callable, message: str):
    state = released.quick_start()
    damage(state)
    with pytest.raises((MismatchError, NonFiniteError), match=message):
        convert_weights(state, 'x.pth', QUICK_START)


def test_a_table_within_rounding_is_accepted_and_beyond_it_not():
    state = released.quick_start()
    table = state['keypoint_head.tokenpose.pos_embedding']
    table[0, 5, 3] += 7e-7
    assert 5e-7 < convert_weights(state, 'x.pth', QUICK_START).position_error <= 1e-6
    table[0, 5, 3] += 1e-6
    with pytest.raises(MismatchError, match='another patch grid'):
        convert_weights(state, 'x.pth', QUICK_START)


def test_an_incomplete_file_is_compared_with_the_closest_config():
    state = released.full_size('tokenpose-s-v2')
    del state['keypoint_head.tokenpose.mlp_head.3.bias']
    with pytest.raises(MismatchError) as caught:
        convert_weights(state, 'x.pth')
    lines = str(caught.value).splitlines()
    assert lines[0] == (
        'x.pth fills the model of no config here; the closest is configs/tokenpose/coco/'
        'tokenpose-s-v2_stemnet_8xb64-300e_coco-256x192.py: 1 keys missing, 0 unexpected, '
        '0 of another shape, 232 matched'
    )
    assert lines[2].split() == ['missing', 'head.mlp.3.bias', '3072', '-']


def test_other_files_are_refused(small: Callable):
    with pytest.raises(MismatchError, match=r'no checkpoint of the released .* it holds fc.bias, fc.weight$'):
        convert_weights({'fc.weight': torch.zeros(2), 'fc.bias': torch.zeros(1)}, 'x.pth')
    with pytest.raises(MismatchError, match=r'it holds k00, k01, .*, k11 and 3 more$'):
        convert_weights({f'k{number:02d}': torch.zeros(1) for number in range(15)}, 'x.pth')
    ours = convert_weights(released.quick_start(), 'x.pth', QUICK_START).model.state_dict()
    with pytest.raises(MismatchError, match='has the layout of this project already'):
        convert_weights(ours, 'x.pth')
    with pytest.raises(UserError, match="--config: No config 'nothing-of-the-kind'"):
        convert_weights(released.quick_start(), 'x.pth', 'nothing-of-the-kind')
    plain = small(
        neck=None,
        head=dict(
            _delete_=True,
            type='HeatmapHead',
            in_channels=64,
            out_channels=17,
            decoder=dict(type='MSRAHeatmap', input_size=(48, 64), heatmap_size=(12, 16), sigma=1),
        ),
        distiller=None,
    )
    with pytest.raises(UserError, match='has no MultiCycledTransformer'):
        convert_weights(released.quick_start(), 'x.pth', str(plain))


def test_files_that_cannot_be_read_or_written(tmp_path: Path):
    source, target = tmp_path / 'a.pth', tmp_path / 'b.pth'
    with pytest.raises(UserError, match='a.pth does not exist'):
        convert_file(str(source), str(target))
    torch.save(dict(state_dict=released.quick_start(), meta=dict(hook=Fraction())), source)
    with pytest.raises(CheckpointError, match=r'was refused and nothing in it was run: it carries .*Fraction'):
        convert_file(str(source), str(target), QUICK_START)
    source.write_bytes(source.read_bytes()[:5000])
    with pytest.raises(CheckpointError, match='a.pth is not a complete checkpoint'):
        convert_file(str(source), str(target))
    torch.save({}, source)
    with pytest.raises(CheckpointError, match='a.pth holds no weights'):
        convert_file(str(source), str(target))
    with pytest.raises(UserError, match='is the checkpoint itself'):
        convert_file(str(source), str(source))
    with pytest.raises(UserError, match='name the file to write, ending in .pth'):
        convert_file(str(source), str(tmp_path))
    assert [file.name for file in tmp_path.iterdir()] == ['a.pth']


class Fraction:
    """Something that no checkpoint of weights holds."""


def test_key_layers():
    state = released.quick_start()
    weights, unknown, position = convert_model({**state, 'keypoint_head.final.bias': torch.zeros(1)}, (2, 2))
    assert list(unknown) == ['keypoint_head.final.bias'] and position.shape == (1, 48, 64)
    module = {
        key.removeprefix('keypoint_head.tokenpose.'): value
        for key, value in state.items()
        if not key.startswith('backbone.')
    }
    tokens = released.token_weights(module, (2, 2))
    assert tokens.keys() == {key for key in weights if not key.startswith('backbone.')}


def test_the_tool(tmp_path: Path, run_tool: Callable):
    torch.save(released.checkpoint(released.quick_start()), tmp_path / 'released.pth')
    done = run_tool(
        'tools/model_converters/from_official.py',
        'released.pth',
        'new/own.pth',
        '--config',
        QUICK_START,
        cwd=tmp_path,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert lines[0].startswith('method by its keys  SDPose or PPT, which have the same keys')
    assert lines[1] == f'config              configs/{QUICK_START}.py (as given)'
    assert lines[3] == 'joints              17 (ArrayCocoDataset)' and lines[-1] == 'written             new/own.pth'
    assert 'recomputed, differs from the stored one by' in lines[5] and done.stderr == ''
    written = torch.load(tmp_path / 'new/own.pth', weights_only=True)
    assert written.keys() == {'meta', 'state_dict'}
    assert written['meta']['converted_from'] == 'released.pth' and written['meta']['source_epoch'] == 300
    assert written['meta']['config'] == f'{Path(QUICK_START).name}.py'
    assert 'MultiCycledTransformer' in written['meta']['cfg']
    init_default_scope('mmpose')
    model = MODELS.build(Config.fromstring(written['meta']['cfg'], '.py').model)
    model.load_state_dict(written['state_dict'], strict=True)

    torch.save({'fc.weight': torch.zeros(2)}, tmp_path / 'other.pth')
    done = run_tool('tools/model_converters/from_official.py', 'other.pth', 'found.pth', cwd=tmp_path)
    assert done.returncode == 2 and done.stdout == '' and not (tmp_path / 'found.pth').exists()
    assert done.stderr.startswith('error: other.pth is no checkpoint of the released') and 'Trace' not in done.stderr
