"""The visual term with and without the position embeddings that every cycle adds again."""

import pytest
import torch
from mmpose.registry import MODELS
from small_models import between_cycles
from torch.testing import assert_close

from sdpose.structures import CycleTokens, TokenSet

PRUNER = dict(type='TokenPruner', keep_ratio=0.5, layers=(0,), cycles=(1,))


def build(depth, num_cycles=2, **neck):
    torch.manual_seed(0)
    neck = MODELS.build(
        dict(
            type='MultiCycledTransformer',
            in_channels=8,
            feature_size=(6, 8),
            patch_size=(3, 2),
            num_queries=5,
            dim=16,
            depth=depth,
            num_heads=4,
            num_cycles=num_cycles,
            **neck,
        )
    )
    neck.init_weights()
    return neck.train()


def make_identity(neck):
    """Every layer returns its input."""
    for layer in neck.layers:
        for linear in (layer.attn.proj, layer.ffn[2]):
            torch.nn.init.zeros_(linear.weight)
            torch.nn.init.zeros_(linear.bias)
    return neck


def terms(on, weight=1.0):
    return MODELS.build(
        dict(type='SelfDistiller', terms=dict(loss_visual=dict(type='TokenMSELoss', on=on, loss_weight=weight)))
    )


@pytest.mark.parametrize('pruner', [None, PRUNER])
@pytest.mark.parametrize('depth, num_cycles, faithful', [(1, 2, 0.0), (2, 2, 0.5), (4, 2, 4.5), (4, 3, 9.0)])
def test_identity_layers_by_hand(depth, num_cycles, faithful, pruner):
    # Sine and cosine come in pairs, so the mean square of the code is 1 / 2 for every patch.
    feats = make_identity(build(depth, num_cycles, pruner=pruner))([torch.randn(2, 8, 8, 6)])
    assert_close(between_cycles(terms('visual'), feats)['loss_visual'], torch.tensor(faithful))
    assert_close(between_cycles(terms('visual_content'), feats)['loss_visual'], torch.tensor(0.0), atol=1e-10, rtol=0)
    assert [tokens.num_position_adds for tokens in feats.cycles] == [
        (depth - 1) * (cycle + 1) for cycle in range(num_cycles)
    ]


def test_weight_of_the_term():
    feats = make_identity(build(4))([torch.randn(2, 8, 8, 6)])
    assert_close(between_cycles(terms('visual', 5e-6), feats)['loss_visual'], torch.tensor(4.5 * 5e-6))


@pytest.mark.parametrize('pruner', [None, PRUNER])
def test_content_is_visual_minus_the_codes_of_the_surviving_patches(pruner):
    neck = build(4, pruner=pruner)
    first, second = neck([torch.randn(2, 8, 8, 6)]).cycles
    code = neck.tokenizer.position[0, 5:]  # (8, 16)
    for times, tokens in ((3, first), (6, second)):
        codes = code.expand(2, -1, -1) if tokens.kept is None else torch.stack([code[kept] for kept in tokens.kept])
        assert_close(tokens.visual_content, tokens.visual - times * codes)
    assert (second.visual - first.visual).square().mean() > 4
    assert 0 < (second.visual_content - first.visual_content).square().mean() < 0.1


@pytest.mark.parametrize('position', ['sine', 'learnable'])
def test_nothing_is_taken_away_where_nothing_is_added_again(position):
    for tokens in build(3, position=position)([torch.randn(2, 8, 8, 6)]).cycles:
        assert torch.equal(tokens.visual_content, tokens.visual)


def test_an_option_of_the_term_trains_both_sides():
    student, teacher = (torch.full((1, 3, 2), value, requires_grad=True) for value in (1.0, 4.0))
    position = torch.tensor([[[0.0, 0.0], [1.0, 2.0], [3.0, 4.0]]])
    pair = [TokenSet(student, 1, position, num_position_adds=1), TokenSet(teacher, 1, position, num_position_adds=2)]
    # 4 - 2 c - (1 - c) = 3 - c for c = 1, 2, 3, 4
    loss = between_cycles(terms('visual_content'), CycleTokens(tuple(pair), 0))['loss_visual']
    assert loss.item() == (4 + 1 + 0 + 1) / 4
    loss.backward()
    assert_close(teacher.grad[0, 1:], torch.tensor([[1.0, 0.5], [0.0, -0.5]]))
    assert_close(student.grad, -teacher.grad)
