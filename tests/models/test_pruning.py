"""Pruning: numbers of the released code, kept indices, positions, cycles and counts."""

import pytest
import torch
from mmpose.registry import MODELS
from torch.testing import assert_close

from sdpose.errors import ConfigError
from sdpose.models.pruners import BasePruner, FusingPruner, TokenPruner
from sdpose.structures import Attended, TokenSet

CLOSE = dict(atol=2e-5, rtol=1e-4)
SMALL = dict(
    type='MultiCycledTransformer',
    in_channels=8,
    feature_size=(8, 8),
    patch_size=(2, 2),
    num_queries=3,
    dim=16,
    depth=5,
    num_heads=4,
)
FEATURE = (torch.arange(2 * 8 * 8 * 8).float().sin().view(2, 8, 8, 8),)


def build(num_cycles=1, test_cycles=1, **pruner):
    torch.manual_seed(0)
    neck = MODELS.build(
        dict(SMALL, num_cycles=num_cycles, test_cycles=test_cycles, pruner={'type': 'TokenPruner', **pruner})
    )
    neck.init_weights()
    return neck


@pytest.mark.parity
@pytest.mark.parametrize('training', [True, False])
@pytest.mark.parametrize('ratio', [0.7, 1.0])
def test_parity(load_fixture, token_model, folder, ratio, training):
    fixture = load_fixture('ppt_depth5_onelayer', folder)
    assert fixture.arrays['prune/0/min_gap'] > 1e-5  # no tie that rounding could turn
    model = token_model(fixture, pruner=dict(type='TokenPruner', keep_ratio=ratio)).train(training)
    feats = model.neck([fixture['feature']])
    tokens = feats.output
    assert_close(tokens.query, fixture[f'ratio{ratio}/kpt_token'], **CLOSE)
    assert_close(tokens.visual, fixture[f'ratio{ratio}/vis_token'], **CLOSE)
    assert_close(model.head(feats), fixture[f'ratio{ratio}/pred'], **CLOSE)
    if ratio < 1:
        assert torch.equal(tokens.kept, fixture['prune/0/kept_original_index'])
    else:
        assert tokens.kept is None


def test_selection_by_hand():
    pruner = TokenPruner(keep_ratio=0.5, layers=(0,))
    sequence = torch.arange(6.0).view(1, 6, 1)  # two queries, visual tokens 2, 3, 4, 5
    tokens = TokenSet(sequence, 2, position=10 * sequence, kept=torch.tensor([[7, 8, 9, 11]]))
    rows = torch.zeros(1, 2, 2, 6)  # two heads, two queries
    rows[0, 0, 0, 3] = 1.0  # visual token 3: mean over heads 0.5
    rows[0, :, 1, 5] = 0.6  # visual token 5: mean over heads 0.6
    rows[0, :, :, 0] = 9.0  # a query attends to a query: does not count
    pruned = pruner(tokens, Attended(sequence, rows, sequence))
    assert pruned.sequence.flatten().tolist() == [0, 1, 5, 3]
    assert pruned.position.flatten().tolist() == [0, 10, 50, 30]
    assert pruned.kept.tolist() == [[11, 8]]


def test_counts_round_up_and_indices_stay_those_of_the_grid():
    neck = build(keep_ratio=0.7, layers=(1, 2, 3))
    tokens = neck(FEATURE).output
    assert tokens.kept.shape == (2, 7)  # 16 -> 12 -> 9 -> 7
    assert tokens.sequence.shape == (2, 3 + 7, 16)
    for kept in tokens.kept:
        assert len(set(kept.tolist())) == 7 and 0 <= int(kept.min()) and int(kept.max()) < 16
    full = neck.tokenizer.position.expand(2, -1, -1)
    expected = full[:, 3:].gather(1, tokens.kept[..., None].expand(-1, -1, 16))
    assert_close(tokens.position[:, 3:], expected)


def test_later_cycles_run_on_what_the_first_left():
    first_only = build(num_cycles=2, layers=(1, 3), cycles=(1,))
    feats = first_only(FEATURE)
    assert [tokens.visual.shape[1] for tokens in feats.cycles] == [9, 9]
    assert torch.equal(feats.cycles[0].kept, feats.cycles[1].kept)
    everywhere = build(num_cycles=2, layers=(1, 3))
    assert [tokens.visual.shape[1] for tokens in everywhere(FEATURE).cycles] == [9, 5]


def test_every_parameter_gets_a_gradient_through_pruning():
    neck = build(num_cycles=2, cycles=(1,))
    sum(tokens.sequence.square().sum() for tokens in neck(FEATURE).cycles).backward()
    assert [name for name, p in neck.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0] == []


def test_attention_map_follows_the_surviving_tokens():
    neck = build(keep_ratio=0.5, layers=(1,))
    attention = [layer.attention for layer in neck(FEATURE, trace='all').output.trace]
    assert [maps.shape[-1] for maps in attention] == [19, 19, 11, 11, 11]


@pytest.mark.parametrize(
    'kwargs, message',
    [
        (dict(keep_ratio=0), r'keep_ratio must lie in \(0, 1\], got 0'),
        (dict(keep_ratio=1.2), r'keep_ratio must lie in \(0, 1\], got 1.2'),
        (dict(layers=(-1,)), 'layers count from 0'),
        (dict(cycles=(0,)), 'cycles from 1'),
        (dict(layers=()), r'layers=\(\), cycles=None: nothing would be pruned'),
        (dict(cycles=[]), r'cycles=\[\]: nothing would be pruned'),
    ],
)
def test_bad_input(kwargs, message):
    with pytest.raises(ValueError, match=message):
        TokenPruner(**kwargs)


@pytest.mark.parametrize(
    'kwargs, message',
    [
        (dict(), r'pruner.layers=\(3, 6, 9\): none of them is there, the 2 layers count from 0'),
        (dict(layers=(1,), cycles=(2,)), r'pruner.cycles=\(2,\): none of them is there, num_cycles is 1'),
    ],
)
def test_a_pruner_that_would_stay_idle_is_refused(kwargs, message):
    neck = dict(
        type='MultiCycledTransformer',
        in_channels=3,
        feature_size=(4, 4),
        patch_size=(2, 2),
        num_queries=2,
        dim=8,
        depth=2,
        num_heads=2,
    )
    MODELS.build(dict(neck, pruner=dict(type='TokenPruner', layers=(1,), cycles=(1,))))
    with pytest.raises(ValueError, match=message):
        MODELS.build(dict(neck, pruner=dict(type='TokenPruner', **kwargs)))


@pytest.mark.parametrize('kind', ['TokenPruner', 'FusingPruner'])
def test_it_is_traced_and_exported_for_any_batch_size(kind):
    neck = build(type=kind, keep_ratio=0.5, layers=(1, 2)).eval()

    class Queries(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.neck = neck

        def forward(self, feature):
            return self.neck([feature]).output.query

    model, other = Queries().eval(), torch.randn(5, 8, 8, 8, generator=torch.Generator().manual_seed(0))
    dynamic = ({0: torch.export.Dim('batch', min=2, max=64)},)
    with torch.no_grad():
        expected = model(other)
        assert_close(torch.jit.trace(model, FEATURE)(other), expected)
        assert_close(torch.export.export(model, FEATURE, dynamic_shapes=dynamic).module()(other), expected)


def test_what_is_dropped_is_fused_by_hand():
    """Two of five visual tokens stay, the weights of the other three are their mean attention."""
    pruner = FusingPruner(keep_ratio=0.6, layers=(0,))
    sequence = torch.tensor([[0.0, 1.0, 10.0, 20.0, 30.0, 40.0, 50.0]]).view(1, 7, 1)  # two queries first
    tokens = TokenSet(sequence, 2, position=sequence / 10, kept=torch.tensor([[3, 5, 7, 8, 9]]))
    rows = torch.zeros(1, 1, 2, 7)
    rows[0, 0, :, 2:] = torch.tensor([[0.1, 0.4, 0.0, 0.3, 0.2], [0.1, 0.2, 0.0, 0.5, 0.2]])  # sums .2 .6 0 .8 .4
    pruned = pruner(tokens, Attended(sequence, rows, sequence))
    fused = 0.1 * 10 + 0.0 * 30 + 0.2 * 50
    assert_close(pruned.sequence.flatten(), torch.tensor([0.0, 1.0, 40.0, 20.0, fused]))
    assert_close(pruned.position.flatten(), torch.tensor([0.0, 0.1, 4.0, 2.0, fused / 10]))
    assert pruned.kept.tolist() == [[8, 5, 9]]


def test_nothing_is_fused_where_nothing_is_dropped():
    """As while the keep ratio is annealed: 0.99 of five tokens, rounded up, are five."""
    pruner = FusingPruner(keep_ratio=0.99, layers=(0,))
    sequence = torch.arange(7.0).view(1, 7, 1)
    rows = torch.rand(1, 2, 2, 7, generator=torch.Generator().manual_seed(0))
    pruned = pruner(TokenSet(sequence, 2), Attended(sequence, rows, sequence))
    assert pruned.sequence.flatten().sort().values.tolist() == [0, 1, 2, 3, 4, 5, 6]


def test_fusing_in_a_model():
    torch.manual_seed(0)
    neck = MODELS.build(dict(SMALL, num_cycles=2, pruner=dict(type='FusingPruner', keep_ratio=0.5, layers=(1, 2))))
    neck.init_weights()
    cycles = neck.train()(FEATURE).cycles
    assert [tokens.visual.shape[1] for tokens in cycles] == [4, 1]  # 16 -> 8 -> 4 -> 2 -> 1
    assert all(len(set(kept.tolist())) == len(kept) for tokens in cycles for kept in tokens.kept)
    cycles[-1].sequence.square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in neck.parameters())


class ByNorm(BasePruner):
    """A pruner of one's own is a score."""

    def score(self, tokens, attended):
        assert attended.weights.shape[2] >= tokens.num_queries
        return tokens.visual.norm(dim=-1)


class MergesAlike(BasePruner):
    """One that needs keys and merges, as ToMe does: each dropped token is added to the kept one most like it."""

    def num_rows(self, tokens):
        return 0  # no attention is read

    def score(self, tokens, attended):
        keys = attended.keys.mean(dim=1)[:, tokens.num_queries :]
        self.keys = keys / keys.norm(dim=-1, keepdim=True)
        return -(self.keys @ self.keys.transpose(1, 2)).mean(dim=2)  # those unlike the others stay

    def reduce(self, tokens, score, count):
        order = score.argsort(dim=1, descending=True)
        kept, rest = tokens.select(order[:, :count]), tokens.select(order[:, count:])
        keys = self.keys.gather(1, order[..., None].expand_as(self.keys))
        target = (keys[:, count:] @ keys[:, :count].transpose(1, 2)).argmax(dim=2)  # (B, P - n)
        merged = kept.visual.scatter_add(1, target[..., None].expand_as(rest.visual), rest.visual)
        return kept._replace(sequence=torch.cat([kept.query, merged], dim=1))


@pytest.mark.parametrize('kind', [ByNorm, MergesAlike])
def test_a_pruner_of_ones_own(kind):
    """In training, in eval mode, annealed, with a trace: nothing else need be written."""
    MODELS.register_module()(kind)
    try:
        neck = MODELS.build(dict(SMALL, num_cycles=2, pruner=dict(type=kind.__name__, keep_ratio=0.5, layers=(1, 2))))
    finally:
        MODELS._module_dict.pop(kind.__name__)
    assert [tokens.visual.shape[1] for tokens in neck.train()(FEATURE).cycles] == [4, 1]
    neck.pruner.training_keep_ratio = 1.0  # as KeepRatioHook sets it
    assert [tokens.kept for tokens in neck(FEATURE).cycles] == [None, None]
    traced = neck.eval()(FEATURE, trace='queries').output
    assert [layer.attention.shape[-1] - 3 for layer in traced.trace] == [16, 16, 8, 4, 4]
    assert traced.kept.shape == (2, 4) and traced.position.shape == (2, 3 + 4, 16)


def test_what_is_no_pruner_is_refused():
    with pytest.raises(ValueError, match='model.neck.pruner: StemNet is not derived from BasePruner'):
        MODELS.build(dict(SMALL, pruner=dict(type='StemNet')))
    with pytest.raises(TypeError, match='abstract class BasePruner .*score'):
        BasePruner(layers=(0,))


@pytest.mark.parametrize(
    'method, message',
    [
        (
            dict(score=lambda self, tokens, attended: tokens.sequence.norm(dim=-1)),
            r'Own\.score returned \(2, 19\), .* \(2, 16\)',
        ),
        (dict(score=lambda self, tokens, attended: tokens.visual), r'Own\.score returned \(2, 16, 16\), expected'),
        (
            dict(reduce=lambda self, tokens, score, count: tokens.select(score.topk(count - 1).indices)),
            r'Own\.reduce left 7 visual tokens behind the 3 query tokens, expected 8',
        ),
    ],
)
def test_a_pruner_of_ones_own_that_returns_another_shape_is_named(method, message):
    own = type('Own', (ByNorm,), method)
    neck = MODELS.build(SMALL)
    neck.pruner = own(keep_ratio=0.5, layers=(1,))
    with pytest.raises(ConfigError, match=message):
        neck(FEATURE)
