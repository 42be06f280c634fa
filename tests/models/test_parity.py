"""Numbers of the released code: tokens and predictions of every cycle, losses and gradients."""

import json

import numpy as np
import pytest
import torch
from mmpose.registry import MODELS
from released_layout import token_weights
from released_numbers import COMPLETE
from small_models import between_cycles
from torch.testing import assert_close

from sdpose.models import sine_table

pytestmark = pytest.mark.parity

CLOSE = dict(atol=2e-5, rtol=1e-4)
TAGS = {'official_a5e-6': (5e-6, False), 'a0.1': (0.1, False), 'a0.1_teacher_detached_NOT_official': (0.1, True)}


def test_sdpose_tokens_and_predictions_of_every_cycle(load_fixture, token_model, folder):
    fixture = load_fixture('sdpose_cycle2_twolayer', folder)
    model = token_model(fixture).train()
    feats = model.neck([fixture['feature']], trace='all')
    predictions = model.head.cycle_outputs(feats)
    assert len(feats.cycles) == len(predictions) == 2
    for index, tokens in enumerate(feats.cycles):
        assert_close(tokens.query, fixture[f'cycle{index + 1}/kpt_token'], **CLOSE)
        assert_close(tokens.visual, fixture[f'cycle{index + 1}/vis_token'], **CLOSE)
        assert_close(predictions[index], fixture[f'cycle{index + 1}/pred'], **CLOSE)
    assert_close(feats.cycles[0].trace[-1].attention, fixture['cycle1/attn_last_layer'], **CLOSE)


def test_sdpose_deploys_the_first_cycle(load_fixture, token_model, folder):
    fixture = load_fixture('sdpose_cycle2_twolayer', folder)
    model = token_model(fixture).eval()
    assert_close(model.head(model.neck([fixture['feature']])), fixture['cycle1/pred'], **CLOSE)


@pytest.mark.parametrize('tag', TAGS)
def test_sdpose_losses_and_gradients(load_fixture, token_model, data_samples, folder, tag):
    fixture = load_fixture('sdpose_cycle2_twolayer', folder)
    weight, detach = TAGS[tag]
    model = token_model(fixture).train()
    distiller = MODELS.build(
        dict(
            type='SelfDistiller',
            detach_teacher=detach,
            terms=dict(
                loss_query=dict(type='TokenMSELoss', on='query', loss_weight=weight),
                loss_visual=dict(type='TokenMSELoss', on='visual', loss_weight=weight),
            ),
        )
    )
    feature = fixture['feature'].requires_grad_()
    feats = model.neck([feature])
    losses = model.head.loss(feats, data_samples(fixture['target'], fixture['target_weight'][..., 0]))
    losses.pop('acc_pose')
    per_cycle = [losses[f'loss_kpt_cycle{cycle}'] for cycle in (1, 2)]
    losses.update(between_cycles(distiller, feats))
    total = sum(losses.values())
    total.backward()

    def expect(value, key):
        assert_close(value.detach().double(), fixture[key].double(), rtol=1e-4, atol=1e-9)

    expect(per_cycle[0], 'loss/per_cycle/heatmap_1')
    expect(per_cycle[1], 'loss/per_cycle/heatmap_2')
    expect(sum(per_cycle), f'loss/{tag}/heatmap_loss')
    expect(losses['loss_query'], f'loss/{tag}/kpt_dist_loss')
    expect(losses['loss_visual'], f'loss/{tag}/vis_dist_loss')
    expect(total, f'loss/{tag}/total')

    ours = {name: parameter.grad for name, parameter in model.named_parameters()}
    ours['feature'] = feature.grad
    expected = fixture.below(f'grad/{tag}/')
    if 'feature' in expected:
        assert_close(ours['feature'], expected.pop('feature'), rtol=1e-3, atol=1e-8)
    expected = token_weights(expected, model.neck.tokenizer.patch_embed.kernel_size[::-1])
    assert len(expected) >= 4
    for name, gradient in expected.items():
        assert_close(ours[name], gradient, rtol=1e-3, atol=2e-6 * gradient.abs().max().item())


def test_tokenpose_is_the_first_cycle_of_an_sdpose(load_fixture, token_model, data_samples):
    """The released weights under TokenPose's own keys and in one pass, against the released first cycle."""
    fixture = load_fixture('sdpose_cycle2_twolayer')
    fixture.config['cycle_num'] = 1
    model = token_model(fixture).train()
    feats = model.neck([fixture['feature']])
    assert len(feats.cycles) == 1
    assert_close(feats.output.query, fixture['cycle1/kpt_token'], **CLOSE)
    assert_close(feats.output.visual, fixture['cycle1/vis_token'], **CLOSE)
    assert_close(model.head(feats), fixture['cycle1/pred'], **CLOSE)
    losses = model.head.loss(feats, data_samples(fixture['target'], fixture['target_weight'][..., 0]))
    assert list(losses) == ['loss_kpt', 'acc_pose']
    assert_close(losses['loss_kpt'].double(), fixture['loss/per_cycle/heatmap_1'].double(), rtol=1e-4, atol=1e-9)


def test_sine_tables(load_fixture, folder):
    tables = load_fixture('sine_pos_embedding', folder).below('pos_')
    assert len(tables) == 6
    for name, expected in tables.items():
        rows, columns, dim = (int(part[1:]) for part in name.split('_'))
        assert_close(sine_table(rows, columns, dim), expected, atol=1e-6, rtol=0)


def test_stemnet_is_what_the_released_hrnet_begins_with(fill_by_formula, hrnet_w32):
    """Key by key and number by number: the HRNet that has the released numbers below, as far as its stage 1."""
    hrnet, stem = MODELS.build(hrnet_w32(64)), MODELS.build(dict(type='StemNet'))
    fill_by_formula(hrnet)
    weights = {key: value for key, value in hrnet.state_dict().items() if key in stem.state_dict()}
    stem.load_state_dict(weights, strict=True)
    hrnet.eval()
    stem.eval()
    image = torch.randn(2, 3, 48, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        first = hrnet.norm1(hrnet.conv1(image)).relu()
        expected = hrnet.layer1(hrnet.norm2(hrnet.conv2(first)).relu())
        (feature,) = stem(image)
    assert feature.shape == (2, 256, 12, 8) and feature.abs().max() > 0.5
    assert_close(feature, expected, **CLOSE)


def test_stemnet_by_formula(load_fixture, fill_by_formula):
    """Output of this implementation in float64, kept when it had the released numbers: weights need no file."""
    fixture = load_fixture('stemnet_formula')
    stem = MODELS.build(dict(type='StemNet'))
    fill_by_formula(stem)
    stem.eval()
    with torch.no_grad():
        assert_close(stem(fixture['image'])[0], fixture['feature'], **CLOSE)


@pytest.mark.parametrize('name, width', [('w32_cfg_stage1_32', 32), ('w32_stage1_64', 64)])
def test_truncated_hrnet(load_fixture, fill_by_formula, folder, hrnet_w32, name, width):
    fixture = load_fixture('hrnet3stage_formula', folder)
    backbone = MODELS.build(hrnet_w32(width))
    keys = json.loads(str(fixture.arrays[f'{name}/keys_json']))
    assert {key: list(value.shape) for key, value in backbone.state_dict().items()} == keys
    fill_by_formula(backbone)
    backbone.eval()
    with torch.no_grad():
        (feature,) = backbone(fixture['image'])
    scale = float(np.abs(fixture.arrays[f'{name}/feature']).max())
    assert_close(feature, fixture[f'{name}/feature'], atol=2e-5 * max(1.0, scale), rtol=1e-4)


if COMPLETE.is_dir():  # these need every weight, more than a repository should hold

    def test_complete_tokenpose(load_fixture, token_model, data_samples):
        fixture = load_fixture('tokenpose_sinefull_twolayer', COMPLETE)
        model = token_model(fixture).train()
        feats = model.neck([fixture['feature']])
        assert_close(feats.output.query, fixture['kpt_token'], **CLOSE)
        assert_close(feats.output.visual, fixture['vis_token'], **CLOSE)
        assert_close(model.head(feats), fixture['pred'], **CLOSE)
        losses = model.head.loss(feats, data_samples(fixture['target'], fixture['target_weight'][..., 0]))
        assert_close(losses['loss_kpt'].double(), fixture['loss/heatmap_loss'].double(), rtol=1e-4, atol=1e-9)

    def test_complete_stemnet(load_fixture):
        fixture = load_fixture('stemnet_eval', COMPLETE)
        stem = MODELS.build(dict(type='StemNet'))
        stem.load_state_dict(fixture.below('w/'), strict=True)
        stem.eval()
        assert_close(stem(fixture['image'])[0], fixture['feature'], **CLOSE)
