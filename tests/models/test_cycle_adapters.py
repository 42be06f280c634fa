"""Cycles that differ: what adapters change, what they leave as it is, and that a new one is a small thing."""

import pytest
import torch
from mmpose.registry import MODELS
from small_models import heatmap_batch
from test_heads_and_distillers import TERMS, model_config
from torch import nn
from torch.nn import functional as F
from torch.testing import assert_close

from sdpose.deploy.optimize import optimize_for_inference
from sdpose.errors import ConfigError
from sdpose.models.cycle_adapters import CycleAdapter
from sdpose.structures import TokenSet

ADAPTERS = {
    'embedding': dict(type='CycleEmbedding'),
    'injection': dict(type='CycleInjection'),
    'norm': dict(type='CycleNorm'),
    'lora': dict(type='CycleLoRA', rank=2),
    'coefficients': dict(type='CycleCoefficients'),
    'both': [dict(type='CycleInjection'), dict(type='CycleLoRA', rank=3), dict(type='CycleNorm')],
    'around': [dict(type='CycleNorm'), dict(type='CycleCoefficients'), dict(type='CycleLoRA', rank=2)],
}
PRUNER = dict(type='TokenPruner', keep_ratio=0.5, layers=[0], cycles=[1])


def built(adapter, num_cycles=3, test_cycles=1, pruner=None, terms=TERMS):
    """A model with random weights, which depend on the seed alone."""
    config = model_config(num_cycles=num_cycles, distiller=dict(type='SelfDistiller', terms=terms))
    config['neck'].update(cycle_adapter=adapter, test_cycles=test_cycles, pruner=pruner)
    torch.manual_seed(0)
    model = MODELS.build(config)
    model.init_weights()
    return model.train()


def shaken(adapter, **options):
    """The same with adapters that have learned something."""
    model = built(adapter, **options)
    torch.manual_seed(5)
    for parameter in model.neck.cycle_adapter.parameters():
        nn.init.normal_(parameter, std=0.3)
    return model


def losses_of(model):
    return model(*heatmap_batch((48, 64)), mode='loss')


@pytest.mark.parametrize('name', ADAPTERS)
@pytest.mark.parametrize('pruner', [None, PRUNER], ids=['all', 'pruned'])
def test_a_new_adapter_changes_nothing(name, pruner):
    """With one seed every other weight is the plain model's, and every loss; gradients are, up to the order of sums."""
    plain, adapted = built(None, pruner=pruner), built(ADAPTERS[name], pruner=pruner)
    own = dict(adapted.named_parameters())
    assert all(torch.equal(own[key], value) for key, value in plain.named_parameters())
    one, other = losses_of(plain), losses_of(adapted)
    assert list(one) == list(other) and all(torch.equal(one[key], other[key]) for key in one)
    for model, losses in ((plain, one), (adapted, other)):
        model.parse_losses(losses)[0].backward()
    for key, value in plain.named_parameters():
        assert_close(own[key].grad, value.grad)


@pytest.mark.parametrize('name', ADAPTERS)
def test_every_parameter_gets_a_gradient_and_the_first_cycle_none_of_it(name):
    model = shaken(ADAPTERS[name])
    plain = built(None)
    one, other = losses_of(plain), losses_of(model)
    assert torch.equal(one['loss_kpt_cycle1'], other['loss_kpt_cycle1'])
    assert one['loss_kpt_cycle2'] != other['loss_kpt_cycle2'] != one['loss_kpt_cycle3'] != other['loss_kpt_cycle3']
    other['loss_kpt_cycle1'].backward(retain_graph=True)
    assert not any(p.grad is not None and p.grad.any() for p in model.neck.cycle_adapter.parameters())
    model.parse_losses(other)[0].backward()
    assert [key for key, p in model.named_parameters() if p.grad is None or not p.grad.any()] == []
    # Each cycle has its own: what belongs to cycle 3 learns nothing from cycle 2.
    model.zero_grad()
    losses_of(model)['loss_kpt_cycle2'].backward()
    for parameter in model.neck.cycle_adapter.parameters():
        assert parameter.grad[0].any() and not parameter.grad[1].any()


@pytest.mark.parametrize('name', ADAPTERS)
def test_the_deployed_pass_is_the_plain_one(name):
    model = shaken(ADAPTERS[name]).eval()
    keys = [key for key in model.state_dict() if key.startswith('neck.cycle_adapter.')]
    assert keys
    plain = built(None)
    weights = {key: value for key, value in model.state_dict().items() if key not in keys}
    plain.load_state_dict(weights, strict=True)
    image = torch.randn(2, 3, 64, 48)
    with torch.no_grad():
        assert torch.equal(model(image, None), plain.eval()(image, None))
        fast = optimize_for_inference(model)
        assert not [key for key in fast.state_dict() if 'cycle_adapter' in key]
        assert_close(fast(image, None), model(image, None), atol=1e-5, rtol=1e-4)


def two_layers(model):
    return list(model.neck.layers), model.neck.cycle_adapter[0]


def by_hand(layer, x, qkv, proj, fc1, fc2, norms):
    """A layer with these changes (functions of the linears' inputs) and norms, of one head pair."""
    normed = norms[0](x)
    mixed = layer.attn.qkv(normed) + qkv(normed)
    q, k, v = mixed.view(*x.shape[:2], 3, 2, -1).permute(2, 0, 3, 1, 4).unbind(0)
    read = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(x.shape)
    x = x + layer.attn.proj(read) + proj(read)
    normed = norms[1](x)
    inner = F.gelu(layer.ffn[0](normed) + fc1(normed))
    return x + layer.ffn[2](inner) + fc2(inner)


def nothing(x):
    return 0


@pytest.mark.parametrize('name', ['lora', 'norm'])
def test_a_changed_layer_by_hand(name):
    model = shaken(ADAPTERS[name]).eval()
    layers, adapter = two_layers(model)
    x = torch.randn(2, 7, 16)
    for cycle, index in ((2, 0), (3, 1)):
        layer, place = layers[index], cycle - 2
        changes, norms = [nothing] * 4, [layer.norm1, layer.norm2]
        if name == 'lora':
            parts = adapter.changes[index]
            pairs = [(parts[key].b[place] @ parts[key].a[place]).detach() for key in ('qkv', 'proj', 'fc1', 'fc2')]
            changes = [lambda x, w=w: x @ w.T for w in pairs]
        else:
            gain, shift = adapter.gain[place, index], adapter.shift[place, index]
            norms = [lambda x, n=n, i=i, g=gain, s=shift: n(x) * (1 + g[i]) + s[i] for i, n in enumerate(tuple(norms))]
        changed = adapter.layer(layer, index, cycle)
        got = changed.feed(changed.attend(x)[0])
        assert_close(got, by_hand(layer, x, *changes, norms), atol=1e-5, rtol=1e-4)
        plain = layer.feed(layer.attend(x)[0])
        assert_close(plain, by_hand(layer, x, *[nothing] * 4, [layer.norm1, layer.norm2]), atol=1e-5, rtol=1e-4)
        assert not torch.allclose(got, plain, atol=1e-3)


def test_what_a_cycle_begins_with_by_hand():
    tokens, start = (TokenSet(torch.full((1, 3, 16), value), 1) for value in (2.0, 5.0))
    _, embedding = two_layers(shaken(ADAPTERS['embedding']))
    for cycle in (2, 3):
        expected = (2 + embedding.embedding[cycle - 2]).expand(1, 3, 16)
        assert torch.equal(embedding.enter(tokens, start, cycle).sequence, expected)
    _, injection = two_layers(shaken(ADAPTERS['injection']))
    assert_close(injection.enter(tokens, start, 3).sequence, (2 + 5 * injection.gate[1]).expand(1, 3, 16))
    # Of the patches that are left, the second one of the grid.
    kept = TokenSet(torch.zeros(1, 2, 16), 1, kept=torch.tensor([[1]]))
    whole = TokenSet(torch.tensor([0.0, 3.0, 7.0]).view(1, 3, 1).expand(1, 3, 16), 1)
    expected = torch.stack([0 * injection.gate[0], 7 * injection.gate[0]])[None]
    assert torch.equal(injection.enter(kept, whole, 2).sequence, expected)


def test_parameters_are_counted_by_hand():
    """12 layers of width 192 as in the full-size model, two cycles: 258 k for rank 8, 9 k for the norms."""
    sizes = dict(in_channels=8, feature_size=(4, 4), patch_size=(2, 2), num_queries=3)
    neck = dict(type='MultiCycledTransformer', num_cycles=2, **sizes)
    counts = {}
    for name, adapter in (('lora', dict(type='CycleLoRA')), ('norm', dict(type='CycleNorm'))):
        with torch.device('meta'):
            model = MODELS.build(dict(neck, cycle_adapter=adapter))
        counts[name] = sum(p.numel() for p in model.cycle_adapter.parameters())
    assert counts['lora'] == 12 * 8 * ((192 + 576) + (192 + 192) + 2 * (192 + 576))
    assert counts['norm'] == 12 * 2 * 2 * 192


@pytest.mark.parametrize('name', ADAPTERS)
@pytest.mark.parametrize('cycles', [1, 2])
def test_fewer_cycles_leave_no_parameter_without_a_gradient(name, cycles):
    """A distributed training waits for all of them, and the numbers are those of the cycles that ran."""
    model = shaken(ADAPTERS[name])
    whole = losses_of(model)
    model.neck.training_cycles = cycles
    losses = losses_of(model)
    assert [key for key in losses if 'kpt' in key] == [f'loss_kpt_cycle{number + 1}' for number in range(cycles)]
    assert all(torch.equal(losses[key], whole[key]) for key in losses if 'kpt' in key)
    model.parse_losses(losses)[0].backward()
    assert [key for key, p in model.named_parameters() if p.grad is None] == []
    unused = [p.grad[cycles - 1 :] for p in model.neck.cycle_adapter.parameters()]
    assert not any(grad.any() for grad in unused)


def test_bad_input():
    for adapter, options, said in (
        (dict(type='CycleLoRA', rank=0), {}, 'a rank of at least 1, got 0'),
        (dict(type='CycleNorm'), dict(test_cycles=2), 'is not published, but test_cycles=2 deploys a cycle'),
        (dict(type='TokenPruner'), {}, 'cycle_adapter: TokenPruner is not derived from CycleAdapter'),
        (dict(type='Nonsense'), {}, 'cycle_adapter: Nonsense is not derived from CycleAdapter'),
        (dict(type='CycleNorm', num_cycles=4), {}, 'sets num_cycles, which it gets from the neck'),
    ):
        with pytest.raises(ValueError, match=said):
            built(adapter, **options)
    config = model_config(num_cycles=1)
    config['neck']['cycle_adapter'] = dict(type='CycleNorm')
    with pytest.raises(ValueError, match='adapts the cycles from the second on: set num_cycles to 2'):
        MODELS.build(config)


@MODELS.register_module(force=True)
class ScaledCycle(CycleAdapter):
    """An idea of one's own: tokens times a learned number per cycle. Nothing else in the project knows of it."""

    def __init__(self, layers, num_cycles):
        super().__init__(layers, num_cycles)
        self.scale = nn.Parameter(torch.ones(self.later))

    def enter(self, tokens, start, cycle):
        return tokens._replace(sequence=tokens.sequence * self.scale[cycle - 2])


@MODELS.register_module(force=True)
class WrongCycle(CycleAdapter):
    """One that loses tokens."""

    def enter(self, tokens, start, cycle):
        return tokens._replace(sequence=tokens.sequence[:, :1])


def test_an_adapter_of_ones_own():
    model = built(dict(type='ScaledCycle'))
    assert torch.equal(losses_of(model)['loss_kpt_cycle3'], losses_of(built(None))['loss_kpt_cycle3'])
    model.parse_losses(losses_of(model))[0].backward()
    assert model.neck.cycle_adapter[0].scale.grad.ne(0).all()
    with pytest.raises(ConfigError, match=r'WrongCycle.enter made tokens of \(3, 1, 16\) out of \(3, 21, 16\)'):
        losses_of(built(dict(type='WrongCycle')))


def dense(queries='start', num_cycles=2, pruner=PRUNER):
    """A model whose first cycle prunes, and whose later ones begin with all patches again."""
    restart, terms = dict(type='CycleRestart', queries=queries), dict(TERMS, loss_visual=None)
    return built(restart, num_cycles=num_cycles, pruner=pruner, terms=terms)


def feats_of(model):
    torch.manual_seed(3)
    return model.neck(model.backbone(torch.rand(2, 3, 64, 48)))


def test_the_dense_cycle_is_the_same_model_without_pruning():
    model, plain = dense(), built(None, num_cycles=2, pruner=None)
    sets, expected = feats_of(model).cycles, feats_of(plain).cycles
    assert [len(each.visual[0]) for each in sets] == [8, 16]
    assert torch.equal(sets[1].sequence, expected[0].sequence) and sets[1].kept is None
    assert torch.equal(sets[1].visual_content, expected[0].visual_content)
    assert not list(model.neck.cycle_adapter.parameters())


def test_the_deployed_pass_stays_pruned_and_is_the_plain_one():
    model, plain = dense(), built(None, num_cycles=2, pruner=PRUNER)
    assert model.state_dict().keys() == plain.state_dict().keys()
    assert torch.equal(feats_of(model).cycles[0].sequence, feats_of(plain).cycles[0].sequence)
    for each in (model, plain):
        each.eval()
    found, expected = feats_of(model), feats_of(plain)
    assert len(found.cycles) == 1 and len(found.output.visual[0]) == 8
    assert torch.equal(found.output.sequence, expected.output.sequence)


def test_query_tokens_of_the_last_cycle_go_on_over_all_patches():
    model = dense('last', num_cycles=3)
    entered = []
    enter = model.neck.cycle_adapter[0].enter
    model.neck.cycle_adapter[0].enter = lambda *args: entered.append((args, enter(*args))) or entered[-1][1]
    sets = feats_of(model).cycles
    assert [len(each.visual[0]) for each in sets] == [8, 16, 16] and len(entered) == 2
    for ((tokens, start, _), made), before in zip(entered, sets):
        assert torch.equal(tokens.query, before.query) and torch.equal(made.query, before.query)
        assert torch.equal(made.visual, start.visual) and made.num_position_adds == 0


def test_the_dense_cycle_teaches_by_predictions_and_not_by_patches():
    model = dense()
    prediction = dict(type='HeatmapLogitLoss', on='prediction')
    distiller = dict(type='SelfDistiller', terms=dict(loss_prediction=prediction), detach_teacher=True)
    model.distiller = MODELS.build(distiller)
    assert losses_of(model)['loss_prediction'] > 0
    visual = dict(loss_visual=dict(type='TokenMSELoss', on='visual'))
    model.distiller = MODELS.build(dict(type='SelfDistiller', terms=visual))
    with pytest.raises(ConfigError, match=r'model.distiller.terms.loss_visual, on=.visual.: .*8.*16'):
        losses_of(model)


@pytest.mark.parametrize(
    'pruner, said', [(None, 'cycle 1: False, in cycle 2: False'), (dict(PRUNER, cycles=None), 'cycle 2: True')]
)
def test_a_restart_without_a_difference_is_refused(pruner, said):
    with pytest.raises(ValueError, match=f'CycleRestart lets a cycle without pruning teach a pruned one.*{said}'):
        dense(pruner=pruner)
    with pytest.raises(ValueError, match="queries='first' is unknown; choose one of start, last"):
        dense(queries='first')


def test_what_a_restart_would_undo_is_refused():
    embedding, norm, restart = (dict(type=f'Cycle{name}') for name in ('Embedding', 'Norm', 'Restart'))
    with pytest.raises(
        ValueError, match='what CycleEmbedding makes of the tokens is lost in .*: name CycleRestart fir'
    ):
        built([norm, embedding, restart], pruner=PRUNER)
    for fine in ([norm, restart, embedding], [embedding, dict(restart, queries='last')]):
        model = built(fine, pruner=PRUNER, terms=dict(TERMS, loss_visual=None))
        model.parse_losses(losses_of(model))[0].backward()
        assert all(each.grad is not None for each in model.neck.cycle_adapter.parameters())


@pytest.mark.parametrize('more', [[], [dict(type='CycleNorm')]], ids=['alone', 'with norms'])
def test_coefficients_by_hand(more):
    """Both halves of each layer, in cycle 2 alone: a x + b F(x), whatever other adapters change in F."""
    model = shaken([dict(type='CycleCoefficients'), *more], num_cycles=2)
    neck, weights = model.neck, model.neck.cycle_adapter[0].coefficients
    assert weights.shape == (1, len(neck.layers), 2, 2)
    tokens = neck(model.backbone(torch.rand(2, 3, 64, 48))).cycles[0]
    found = neck.run_cycle(tokens, cycle=2).sequence
    for index, layer in enumerate(neck.layers):
        tokens = tokens.add_position() if index else tokens
        changed = neck.cycle_adapter[1].layer(layer, index, 2) if more else layer
        x = tokens.sequence
        (a, b), (c, d) = weights[0, index]
        x = a * x + b * changed.attn(changed.norm1(x), 0).update
        x = c * x + d * changed.ffn(changed.norm2(x))
        tokens = tokens._replace(sequence=x)
    assert_close(found, tokens.sequence, rtol=1e-4, atol=1e-5)
