"""The package and the method by hand are one function: values and gradients from the same weights and images."""

from pathlib import Path

import pytest
import torch
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from released_layout import token_weights
from released_numbers import DATA, Fixture
from sdpose_s import Cycle, Head, Layer, MultiCycledTransformer, SDPose, Tokenizer, losses
from tasks import task_of
from torch import nn
from torch.testing import assert_close

from sdpose.config.load import load_config
from sdpose.config.nodes import input_size

CONFIGS = Path(__file__).parents[2] / 'configs'
TINY = 'quick_start/sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48.py'
S_V1 = 'sdpose/coco/sdpose-s-v1_stemnet_8xb64-300e_coco-256x192.py'
# What the quick start's model does not show: layers that add the position embedding again, a third cycle, and a head
# with two linears.
CASES = {'tiny': (TINY, {}), 'deeper': (TINY, dict(depth=3, num_cycles=3, dim=12)), 'S-V1': (S_V1, {})}

# Fixture of the released code: factor of the distillation, and whether its teacher is detached.
RELEASED = [('official_a5e-6', 5e-6, False), ('a0.1', 0.1, False), ('a0.1_teacher_detached_NOT_official', 0.1, True)]

CLOSE = dict(atol=2e-5, rtol=1e-4)


def by_hand(config) -> SDPose:
    """The same model by hand; there, sizes are (height, width)."""
    neck, stem = config.model.neck, config.model.backbone
    return SDPose(
        image=input_size(config)[::-1],
        patch=tuple(neck.patch_size)[::-1],
        joints=neck.num_queries,
        stem=stem.get('stem_channels', 64),
        blocks=stem.get('num_blocks', 4),
        dim=neck.dim,
        depth=neck.depth,
        heads=neck.num_heads,
        cycles=neck.num_cycles,
    )


@pytest.fixture(params=CASES)
def config(request):
    init_default_scope('mmpose')
    name, neck = CASES[request.param]
    config = load_config(CONFIGS / name)
    config.model.neck.update(neck)
    config.model.head.in_channels = config.model.neck.dim
    return config


def pair(config, dtype=torch.float32):
    """The package's model and the one by hand, in training, with one set of weights: no norm is 1, no bias 0."""
    torch.manual_seed(0)
    model, mine = MODELS.build(config.model), by_hand(config)
    model.init_weights()
    for parameter in model.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    mine.load_state_dict(model.state_dict(), strict=True)
    return model.to(dtype).train(), mine.to(dtype).train()


def batch(config, dtype=torch.float32):
    """Two images, their targets and weights, and the same as MMPose's samples."""
    torch.manual_seed(1)
    samples = task_of(config).inputs(config, 2)['data_samples']
    for sample in samples:
        sample.gt_fields.heatmaps = sample.gt_fields.heatmaps.to(dtype)
        sample.gt_instance_labels.keypoint_weights = torch.rand(1, config.num_keypoints, dtype=dtype).round(decimals=1)
    width, height = input_size(config)
    target = torch.stack([sample.gt_fields.heatmaps for sample in samples])
    weight = torch.cat([sample.gt_instance_labels.keypoint_weights for sample in samples])
    assert 0 < weight.mean() < 1
    return torch.randn(2, 3, height, width, dtype=dtype), target, weight, samples


def test_tokens_maps_and_predictions_of_every_cycle(config):
    model, mine = pair(config)
    image, *_ = batch(config)
    with torch.no_grad():
        feats = model.neck(model.backbone(image), trace='all')
        predictions = model.head.cycle_outputs(feats)
        cycles = mine(image)
    assert len(cycles) == len(predictions) == config.model.neck.num_cycles
    for index, cycle in enumerate(cycles):
        assert_close(cycle.heatmaps, predictions[index], **CLOSE)
        assert_close(cycle.query, feats.cycles[index].query, **CLOSE)
        assert_close(cycle.visual, feats.cycles[index].visual, **CLOSE)
        assert len(cycle.attention) == config.model.neck.depth
        assert_close(cycle.attention, [layer.attention for layer in feats.cycles[index].trace], **CLOSE)
    assert (cycles[0].heatmaps - cycles[1].heatmaps).abs().max() > 0.01  # a second cycle that is one
    assert_close(mine.state_dict(), model.state_dict(), **CLOSE)  # the running statistics, too


def test_the_deployed_prediction(config):
    model, mine = pair(config)
    image, _, _, samples = batch(config)
    with torch.no_grad():
        assert_close(mine.eval().predict(image), model.eval()(image, samples, mode='tensor'), **CLOSE)


@pytest.mark.parametrize('detach', [False, True])
def test_losses_and_gradients_of_every_term(config, detach):
    """Each term for itself: those of the distillation weigh too little to be seen in the sum."""
    config.model.distiller.detach_teacher = detach
    large = config.model.neck.depth > 6
    dtype, rtol = (torch.float32, 1e-3) if large else (torch.float64, 1e-6)  # double where it costs nothing
    model, mine = pair(config, dtype)
    image, target, weight, samples = batch(config, dtype)
    expected = {name: value for name, value in model(image, samples, mode='loss').items() if name != 'acc_pose'}
    terms = losses(mine(image), target, weight, detach_teacher=detach)
    assert set(terms) == set(expected) and len(terms) == config.model.neck.num_cycles + 2
    for name, value in expected.items():
        assert_close(terms[name], value, atol=0, rtol=rtol / 10)
        compare_gradients(gradients(mine, terms[name]), gradients(model, value), name, rtol)


@pytest.mark.parity
def test_the_numbers_of_the_released_code():
    """Its transformer and head, from the feature map on: the package is not asked."""
    fixture = Fixture(DATA / 'sdpose_cycle2_twolayer.npz')
    patch, joints, dim = (4, 3), 17, 48
    tokenizer = Tokenizer(16, (24 // 4, 12 // 3), patch, joints, dim)
    part = nn.Module()
    part.neck = MultiCycledTransformer(tokenizer, [Layer(dim, heads=4) for _ in range(3)], cycles=2)
    part.head = Head(dim, (32, 24))
    part.load_state_dict(token_weights(fixture.below('w/'), patch[::-1]), strict=True)
    feature = fixture['feature'].requires_grad_()
    cycles = [Cycle(part.head(x[:, :joints]), x[:, :joints], x[:, joints:], maps) for x, maps in part.neck(feature)]
    for number, cycle in enumerate(cycles, start=1):
        assert_close(cycle.query, fixture[f'cycle{number}/kpt_token'], **CLOSE)
        assert_close(cycle.visual, fixture[f'cycle{number}/vis_token'], **CLOSE)
        assert_close(cycle.heatmaps, fixture[f'cycle{number}/pred'], **CLOSE)
    assert_close(cycles[0].attention[-1], fixture['cycle1/attn_last_layer'], **CLOSE)
    for tag, factor, detach in RELEASED:
        terms = losses(cycles, fixture['target'], fixture['target_weight'][..., 0], factor, detach)
        named = dict(kpt_dist_loss=terms['loss_query'], vis_dist_loss=terms['loss_visual'], total=sum(terms.values()))
        for name, value in named.items():
            assert_close(value.detach().double(), fixture[f'loss/{tag}/{name}'].double(), rtol=1e-4, atol=1e-9)
        released = fixture.below(f'grad/{tag}/')
        if 'feature' in released:
            of_feature = torch.autograd.grad(named['total'], feature, retain_graph=True)[0]
            assert_close(of_feature, released.pop('feature'), rtol=1e-3, atol=1e-8)
        released = token_weights(released, patch[::-1])
        assert len(released) >= 4
        ours = gradients(part, named['total'])
        compare_gradients({name: ours[name] for name in released}, released, tag, rtol=1e-3)


@pytest.mark.parametrize('config', ['tiny', 'deeper'], indirect=True)
def test_training_by_hand_leads_to_the_same_weights(config):
    """Three steps of the published optimizer; what is trained by the package loads strictly, and the other way."""
    model, mine = pair(config, torch.float64)
    image, target, weight, samples = batch(config, torch.float64)
    before = mine.state_dict()['neck.layers.0.attn.qkv.weight'].clone()
    steps = [torch.optim.Adam(part.parameters(), lr=1e-3) for part in (model, mine)]
    for _ in range(3):
        total, _ = model.parse_losses(model(image, samples, mode='loss'))
        for step, value in zip(steps, (total, sum(losses(mine(image), target, weight).values()))):
            step.zero_grad()
            value.backward()
            step.step()
    trained = model.state_dict()
    assert (trained['neck.layers.0.attn.qkv.weight'] - before).abs().max() > 1e-3
    assert_close(mine.state_dict(), trained, atol=1e-6, rtol=1e-5)
    fresh = by_hand(config).double()
    fresh.load_state_dict(trained, strict=True)
    model.load_state_dict(fresh.state_dict(), strict=True)
    with torch.no_grad():
        assert_close(fresh.eval().predict(image), model.eval()(image, samples, mode='tensor'))


def test_initialization():
    init_default_scope('mmpose')
    torch.manual_seed(0)
    config = load_config(CONFIGS / S_V1)
    model, mine = MODELS.build(config.model), SDPose()
    model.init_weights()
    for (name, ours), (same, expected) in zip(sorted(mine.named_parameters()), sorted(model.named_parameters())):
        assert name == same and ours.shape == expected.shape
        if ours.ndim > 1:
            assert ours.std().item() == pytest.approx(expected.std().item(), rel=0.1), name
        else:
            assert torch.equal(ours, expected), name


def test_where_the_distillation_starts():
    """The patches of two cycles differ by the codes that the second has added again, the joints by next to nothing."""
    torch.manual_seed(0)
    terms = losses(SDPose()(torch.randn(2, 3, 256, 192)), torch.zeros(2, 17, 64, 48), torch.ones(2, 17), factor=1)
    assert terms['loss_visual'].item() == pytest.approx(11**2 / 2, rel=0.05)
    assert terms['loss_query'].item() < 0.5


def gradients(model, value) -> dict:
    """The gradient of every parameter; one that the value does not depend on has 0."""
    names, parameters = zip(*model.named_parameters())
    return dict(zip(names, torch.autograd.grad(value, parameters, retain_graph=True, materialize_grads=True)))


def compare_gradients(ours, expected, what, rtol):
    """Every entry, to the relative tolerance; entries that are almost nothing, to that part of the largest."""
    assert ours.keys() == expected.keys()
    for name, gradient in expected.items():
        largest = gradient.abs().max().item()
        assert_close(ours[name], gradient, rtol=rtol, atol=rtol * largest, msg=f'{what}, {name}: {{}}'.format)
        of_tokens = what in ('loss_query', 'loss_visual')  # a norm that the head alone reads has none of these
        assert largest > 0 or (of_tokens and name.startswith('head.')), f'{what}: no gradient of {name}'
