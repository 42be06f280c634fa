"""The token transformer: cycles, position modes, attention maps, gradients and bad input."""

import math

import pytest
import torch
from mmpose.registry import MODELS
from torch.nn import functional as F
from torch.testing import assert_close

from sdpose.errors import ConfigError
from sdpose.models import SelfAttention, Tokenizer, TransformerLayer, sine_table

SMALL = dict(
    type='MultiCycledTransformer',
    in_channels=8,
    feature_size=(6, 8),
    patch_size=(3, 2),
    num_queries=5,
    dim=16,
    depth=3,
    num_heads=4,
)
FEATURE = (torch.arange(2 * 8 * 8 * 6).float().sin().view(2, 8, 8, 6),)


def build(**overrides):
    torch.manual_seed(0)
    neck = MODELS.build({**SMALL, **overrides})
    neck.init_weights()
    return neck


def count_layer_runs(neck, mode):
    runs = []
    handles = [layer.attn.register_forward_hook(lambda *_: runs.append(1)) for layer in neck.layers]
    neck.train(mode)
    feats = neck(FEATURE)
    for handle in handles:
        handle.remove()
    return len(runs), len(feats.cycles), feats.deployed


@pytest.mark.parametrize('num_cycles, test_cycles', [(1, 1), (2, 1), (3, 1), (3, 2), (3, 3)])
def test_runs_all_cycles_in_training_and_only_the_deployed_ones_in_eval(num_cycles, test_cycles):
    neck = build(num_cycles=num_cycles, test_cycles=test_cycles)
    assert count_layer_runs(neck, True) == (3 * num_cycles, num_cycles, test_cycles - 1)
    assert count_layer_runs(neck, False) == (3 * test_cycles, test_cycles, test_cycles - 1)


def test_training_and_eval_agree_on_the_deployed_cycle():
    neck = build(num_cycles=3, test_cycles=2)
    assert_close(neck.train()(FEATURE).output.sequence, neck.eval()(FEATURE).output.sequence)


def test_cycles_add_no_parameter():
    plain, cycled = build(), build(num_cycles=3)
    assert plain.state_dict().keys() == cycled.state_dict().keys()
    plain.load_state_dict(cycled.state_dict(), strict=True)
    assert 'tokenizer.position' not in plain.state_dict()


def by_hand(neck, cycles, readds):
    """The stack written out once more, with plain softmax attention and explicit position handling."""
    tokenizer = neck.tokenizer
    count = tokenizer.num_queries
    patches = F.conv2d(FEATURE[0], tokenizer.patch_embed.weight, tokenizer.patch_embed.bias, stride=(2, 3))
    patches = patches.flatten(2).transpose(1, 2)
    position = sine_table(4, 2, 16)
    query, visual = tokenizer.query.expand(2, -1, -1), patches + position
    for _ in range(cycles):
        for index, layer in enumerate(neck.layers):
            if index and readds:
                visual = visual + position
            x = torch.cat([query, visual], dim=1)
            q, k, v = layer.attn.qkv(layer.norm1(x)).view(2, -1, 3, 4, 4).permute(2, 0, 3, 1, 4)
            attended = (q @ k.transpose(-1, -2) / 2).softmax(-1) @ v
            x = x + layer.attn.proj(attended.transpose(1, 2).flatten(2))
            x = x + layer.ffn[2](F.gelu(layer.ffn[0](layer.norm2(x))))
            query, visual = x[:, :count], x[:, count:]
    return torch.cat([query, visual], dim=1)


@pytest.mark.parametrize('position, readds', [('sine', False), ('sine-full', True)])
@pytest.mark.parametrize('cycles', [1, 3])
def test_against_the_stack_written_out(position, readds, cycles):
    neck = build(position=position, num_cycles=cycles)
    assert_close(neck(FEATURE).cycles[-1].sequence, by_hand(neck, cycles, readds), atol=1e-5, rtol=1e-5)


def test_learnable_position_is_added_once_to_all_tokens():
    neck = build(position='learnable')
    assert neck.tokenizer.position.shape == (1, 5 + 8, 16)
    tokens = neck.tokenizer(FEATURE[0])
    assert tokens.position is None
    before = tokens.sequence.clone()
    with torch.no_grad():
        neck.tokenizer.position += 1
    assert_close(neck.tokenizer(FEATURE[0]).sequence, before + 1)


@pytest.mark.parametrize('position', ['sine', 'sine-full', 'learnable'])
def test_every_parameter_gets_a_gradient(position):
    neck = build(position=position, num_cycles=2)
    sum(tokens.sequence.square().sum() for tokens in neck(FEATURE).cycles).backward()
    without = [
        name
        for name, parameter in neck.named_parameters()
        if parameter.grad is None or not parameter.grad.abs().sum() > 0
    ]
    assert without == []


def test_sine_table_by_hand():
    table = sine_table(2, 3, 8)
    assert table.shape == (6, 8)
    row_1, column_2 = 2 * math.pi / (2 + 1e-6), 2 * math.pi * 2 / (3 + 1e-6)
    expected = [
        math.sin(row_1),
        math.cos(row_1),
        math.sin(row_1 / 100),
        math.cos(row_1 / 100),
        math.sin(column_2),
        math.cos(column_2),
        math.sin(column_2 / 100),
        math.cos(column_2 / 100),
    ]
    assert_close(table[1], torch.tensor(expected), atol=1e-6, rtol=0)  # first row, second column


def test_patch_order_is_row_major():
    tokenizer = Tokenizer(1, (6, 4), (3, 2), 1, 4)
    torch.nn.init.ones_(tokenizer.patch_embed.weight)
    torch.nn.init.zeros_(tokenizer.patch_embed.bias)
    torch.nn.init.zeros_(tokenizer.query)
    feature = torch.zeros(1, 1, 4, 6)
    feature[0, 0, 0, 4] = 1.0  # top right patch of a 2 x 2 grid
    visual = (tokenizer(feature).sequence - tokenizer.position)[0, 1:, 0]
    assert_close(visual, torch.tensor([0.0, 1.0, 0.0, 0.0]))


def test_attention_map_only_when_asked_for():
    neck = build(num_cycles=2)
    assert all(tokens.trace is None for tokens in neck(FEATURE).cycles)
    plain, asked = neck(FEATURE), neck(FEATURE, trace='all')
    assert_close(plain.cycles[1].sequence, asked.cycles[1].sequence)
    for tokens in asked.cycles:
        assert len(tokens.trace) == 3
        for layer in tokens.trace:
            assert layer.attention.shape == (2, 4, 13, 13)
            assert_close(layer.attention.sum(-1), torch.ones(2, 4, 13))


def test_attention_rows_belong_to_the_leading_tokens():
    torch.manual_seed(0)
    attention = SelfAttention(16, 4)
    x = torch.randn(2, 7, 16)
    full, rows = attention(x, num_rows=7), attention(x, num_rows=3)
    assert_close(rows.weights, full.weights[:, :, :3])
    assert_close(rows.update, full.update)
    assert attention(x).weights is None
    assert_close(full.keys, attention.qkv(x)[..., 16:32].view(2, 7, 4, 4).transpose(1, 2))


def test_another_kernel_replaces_the_middle_alone():
    """A kernel of one's own is a class with ``compute``, chosen by a config, and gets the sizes of the layer."""

    @MODELS.register_module()
    class ReadsAllAlike(SelfAttention):
        def __init__(self, dim, num_heads, qkv_bias, scale, sharpness):
            super().__init__(dim, num_heads, qkv_bias, scale)
            self.sharpness = sharpness

        def compute(self, q, k, v, num_rows):
            weights = torch.full((*q.shape[:3], k.shape[2]), self.sharpness / k.shape[2])
            return weights @ v, weights[:, :, :num_rows] if num_rows else None

    try:
        neck = build(num_cycles=2, attention=dict(type='ReadsAllAlike', sharpness=0.5))
    finally:
        MODELS._module_dict.pop('ReadsAllAlike')
    assert all(layer.attn.sharpness == 0.5 and layer.attn.num_heads == 4 for layer in neck.layers)
    traced = neck(FEATURE, trace='queries').cycles[1].trace
    assert all(torch.equal(layer.attention, torch.full((2, 4, 5, 13), 0.5 / 13)) for layer in traced)
    layer, x = neck.layers[0], torch.randn(2, 13, 16)
    values = layer.attn.qkv(layer.norm1(x))[..., 32:]
    expected = x + layer.attn.proj(0.5 * values.mean(dim=1, keepdim=True).expand_as(x))
    assert_close(layer.attend(x)[0], expected)


@pytest.mark.parametrize(
    'compute, message',
    [
        (
            lambda q, k, v, r: (v.transpose(1, 2), None),
            r'what was read, \(B, h, T, d\) = \(2, 4, 5, 4\), .* of \(2, 5, 4, 4\), None',
        ),
        (lambda q, k, v, r: (v[:, :, 1:], None), r'of \(2, 4, 4, 4\), None'),
        (lambda q, k, v, r: v, r'must return a tuple .* not a tensor of \(2, 4, 5, 4\)'),
        (
            lambda q, k, v, r: (v, None),
            r'asked for the weights of num_rows=3 tokens, .* = \(2, 4, 3, 5\), .* returned None',
        ),
        (lambda q, k, v, r: (v, torch.zeros(2, 3, 5)), r'returned a tensor of \(2, 3, 5\)'),
    ],
)
def test_a_kernel_that_returns_another_shape_is_named(compute, message):
    attention = SelfAttention(16, 4)
    attention.compute = compute
    with pytest.raises(ConfigError, match=f'SelfAttention.compute .*{message}'):
        attention(torch.randn(2, 5, 16), num_rows=3)


def test_attention_scale_is_an_option():
    torch.manual_seed(0)
    layer = TransformerLayer(16, 4, attention_scale=16**-0.5)
    x = torch.randn(1, 5, 16)
    q, k, _ = layer.attn.qkv(layer.norm1(x)).view(1, 5, 3, 4, 4).permute(2, 0, 3, 1, 4)
    assert_close(layer.attend(x, num_rows=5)[1].weights, (q @ k.transpose(-1, -2) / 4).softmax(-1))


@pytest.mark.parametrize(
    'overrides, message',
    [
        (dict(patch_size=(4, 2)), r'patch_size \(w, h\)=\(4, 2\) does not divide the feature map \(w, h\)=\(6, 8\)'),
        (dict(patch_size=(3, 3)), 'height 8 is not a multiple of 3'),
        (dict(test_cycles=2), 'test_cycles=2 must lie between 1 and num_cycles=1'),
        (dict(test_cycles=0), 'test_cycles=0 must lie between 1 and num_cycles=1'),
        (dict(num_cycles=0), 'num_cycles must be at least 1, got 0'),
        (dict(depth=0), 'depth=0'),
        (dict(num_heads=3), 'num_heads=3 must divide dim=16'),
        (dict(position='none'), "position='none' is unknown; choose one of sine, sine-full, learnable"),
        (dict(dim=18, num_heads=2), 'multiple of 4, got dim=18'),
        (dict(dim=-1), 'dim must be positive, got -1'),
        (dict(mlp_ratio=0), 'mlp_ratio must be positive, got 0'),
        (dict(attention_scale=float('nan')), 'attention_scale must be positive, got nan'),
        (dict(feature_size=(0, 8)), r'does not divide the feature map \(w, h\)=\(0, 8\)'),
        (dict(attention=dict(scale=1.0, num_heads=2)), 'model.neck.attention sets num_heads, scale, which it gets'),
        (dict(num_queries=0), 'at least one query token, got 0'),
    ],
)
def test_bad_configuration(overrides, message):
    with pytest.raises(ValueError, match=message):
        MODELS.build({**SMALL, **overrides})


def test_feature_map_of_another_size():
    with pytest.raises(ConfigError, match=r'built for a feature map of \(w, h\)=\(6, 8\) but got \(12, 8\)'):
        build()([torch.zeros(1, 8, 8, 12)])
