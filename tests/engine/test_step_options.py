"""Options of the training step, singly and in pairs: a few steps of a tiny model end at the weights they must."""

import copy
import itertools
from functools import partial
from pathlib import Path
from unittest.mock import patch

import pytest
import torch
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmpose.registry import MODELS
from tasks import give_untrained_teacher, task_of
from torch.nn.functional import dropout
from torch.testing import assert_close

from sdpose.config.load import load_config
from sdpose.models.pruners import TokenPruner
from sdpose.models.transformers import SelfAttention

QUICK = Path(__file__).parents[2] / 'configs/quick_start'
STEPS = 4
# Options that change nothing but rounding, and those that train otherwise. Adam is smooth: eps is far above a gradient.
SAME = dict(
    checkpoint=['model.neck.checkpoint_cycles=True'],
    compile=['model.neck.compile_cycles=True'],
    channels_last=['default_hooks.channels_last.type=ChannelsLastHook'],
    fused=['optim_wrapper.optimizer.fused=True'],
)
OTHER = dict(
    bf16=['optim_wrapper.type=CpuAmpOptimWrapper'],
    ema=['default_hooks.ema.type=EMAHook', 'default_hooks.ema.momentum=0.5'],
    accumulation=['optim_wrapper.accumulative_counts=2'],
    clipping=['optim_wrapper.clip_grad.max_norm=0.01'],
)
EVERY = {**SAME, **OTHER}


def train(folder, *names, name='sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48', more=()):
    """The weights after some steps, averaged where they are, and the losses of the steps."""
    init_default_scope('mmpose')
    cfg = load_config(QUICK / f'{name}.py')
    cfg.optim_wrapper = dict(optimizer=dict(type='Adam', lr=0.1, eps=1.0))
    words = [word for each in names for word in EVERY[each]] + list(more)
    cfg.merge_from_dict({key: parsed(value) for key, _, value in (word.partition('=') for word in words)})
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    model.init_weights = lambda: None  # once is enough
    give_untrained_teacher(model)
    torch.manual_seed(1)
    batch = task_of(cfg).inputs(cfg, 2 * STEPS)
    runner = Runner(
        model,
        str(folder / '_'.join(names)),
        train_dataloader=dict(
            dataset=[dict(inputs=one, data_samples=two) for one, two in zip(batch['inputs'], batch['data_samples'])],
            batch_size=2,
            num_workers=0,
            sampler=dict(type='DefaultSampler', shuffle=False),
            collate_fn=dict(type='pseudo_collate'),
        ),
        train_cfg=dict(by_epoch=True, max_epochs=1),
        optim_wrapper=cfg.optim_wrapper,
        default_hooks={**cfg.default_hooks, 'logger': dict(type='LoggerHook', interval=1), 'checkpoint': None},
        default_scope='mmpose',
        randomness=dict(seed=0),
        experiment_name=f'{folder.name}_{"_".join(names)}_{id(model)}',
        log_level='ERROR',
    )
    # What is composed here is the graph that is cut out of a step; inductor's kernels take minutes, and a compiler.
    with patch.object(torch, 'compile', partial(torch.compile, backend='aot_eager')):
        runner.train()
    if 'compile' in names:
        assert model.neck._compiled is not None
    if 'ema' in names:
        (hook,) = (hook for hook in runner.hooks if hasattr(hook, 'ema_model'))
        model = hook.ema_model.module
    losses = runner.message_hub.get_scalar('train/loss').data[0].tolist()
    return {key: value.detach().clone() for key, value in model.named_parameters()}, losses


def parsed(word):
    return {'True': True, '2': 2}.get(word, float(word) if word.replace('.', '').isdigit() else word)


@pytest.fixture(scope='module')
def alone(tmp_path_factory):
    """What plain training, and each option by itself, leads to, and each pair of those that train otherwise."""
    folder = tmp_path_factory.mktemp('alone')
    return {names: train(folder, *names) for names in [(), *((name,) for name in OTHER)]}


@pytest.mark.parametrize('same', SAME)
@pytest.mark.parametrize('beside', ['', *OTHER])
def test_options_that_change_nothing(same, beside, alone, tmp_path):
    expected, expected_losses = alone[(beside,) if beside else ()]
    found, losses = train(tmp_path, same, *filter(None, [beside]))
    loose = 0.02 if beside == 'bf16' else 1e-4
    assert losses == pytest.approx(expected_losses, rel=loose)
    assert found.keys() == expected.keys()
    assert change(found, expected) <= (0.1 if beside == 'bf16' else 1e-3) * moved(alone)


@pytest.mark.parametrize('pair', [*itertools.combinations(SAME, 2)], ids=' '.join)
def test_pairs_of_those(pair, alone, tmp_path):
    found, losses = train(tmp_path, *pair)
    assert losses == pytest.approx(alone[()][1], rel=1e-4)
    assert change(found, alone[()][0]) <= 1e-3 * moved(alone)


@pytest.mark.parametrize('pair', [*itertools.combinations(OTHER, 2)], ids=' '.join)
def test_pairs_of_those_that_train_otherwise(pair, alone, tmp_path):
    found, losses = train(tmp_path, *pair)
    assert all(map(torch.isfinite, map(torch.sum, found.values()))) and len(losses) == STEPS
    for one in pair:  # both count: it is neither of the two
        assert change(found, alone[(one,)][0]) > 1e-4 * moved(alone), one


def test_each_that_trains_otherwise_does(alone):
    for name in OTHER:
        assert change(alone[(name,)][0], alone[()][0]) > 1e-4 * moved(alone), name


def small_neck(**options):
    init_default_scope('mmpose')
    torch.manual_seed(0)
    sizes = dict(in_channels=3, feature_size=(4, 4), patch_size=(2, 2), num_queries=2, dim=8, depth=2, num_heads=2)
    return MODELS.build(dict(type='MultiCycledTransformer', num_cycles=2, **sizes, **options)).train()


def gradients(neck, bf16=False):
    neck.zero_grad()
    feature = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    with torch.autocast('cpu', dtype=torch.bfloat16, enabled=bf16):
        cycles = neck((feature,)).cycles
    assert [each.num_position_adds for each in cycles] == [1, 2]
    sum(each.sequence.square().sum() for each in cycles).backward()
    return [parameter.grad.clone() for parameter in neck.parameters()]


@pytest.mark.parametrize('bf16', [False, True])
@pytest.mark.parametrize('checkpoint', [False, True])
@pytest.mark.parametrize('backend', ['aot_eager', pytest.param('inductor', marks=pytest.mark.long)])
def test_compiled_cycles_have_the_gradients_of_torch(backend, checkpoint, bf16, monkeypatch):
    if backend == 'inductor' and (checkpoint or bf16):
        pytest.skip('it takes minutes, and the options end before it')
    torch.compiler.reset()
    monkeypatch.setattr(torch, 'compile', partial(torch.compile, backend=backend))
    expected = gradients(small_neck(), bf16)
    neck = small_neck(compile_cycles=True, checkpoint_cycles=checkpoint)
    loose = 0.05 if bf16 else 1e-5
    for found, wanted in zip(gradients(neck, bf16), expected, strict=True):
        assert (found - wanted).abs().max() <= loose * wanted.abs().max() + 1e-6
    assert neck._compiled is not None
    neck.eval()((torch.randn(1, 3, 4, 4),))  # another size, by torch


def test_a_copy_of_a_compiled_model_is_not_bound_to_the_first():
    neck = small_neck(compile_cycles=True)
    neck._compiled = neck.run_cycle
    assert copy.deepcopy(neck)._compiled is None and neck._compiled is not None


@pytest.mark.parametrize(
    'name', ['distilpose-tiny_stemnet_1xb32-30e_synthetic-64x48', 'ikd-tiny_res18_1xb32-10e_synthetic-64x48']
)
def test_a_teacher_in_half_precision(name, tmp_path):
    _, whole = train(tmp_path, name=name)
    _, half = train(tmp_path, name=name, more=['model.distiller.teacher_precision=bfloat16'])
    assert half == pytest.approx(whole, rel=0.05) and half != whole


@pytest.mark.parametrize('beside', EVERY)
def test_a_teacher_in_half_precision_beside_each_option(beside, tmp_path):
    name = 'distilpose-tiny_stemnet_1xb32-30e_synthetic-64x48'
    _, whole = train(tmp_path, beside, name=name)
    _, half = train(tmp_path, beside, name=name, more=['model.distiller.teacher_precision=bfloat16'])
    assert half == pytest.approx(whole, rel=0.05)
    assert half != whole or beside == 'bf16'  # which is the teacher's, too


def change(one, other):
    """The distance of two sets of weights."""
    return sum((one[key] - other[key]).square().sum() for key in other).sqrt().item()


def moved(alone):
    """How far plain training moves weights, by what accumulation of two batches, half as many steps, leaves behind."""
    return change(alone[()][0], alone[('accumulation',)][0])


@MODELS.register_module(force=True)
class DroppingAttention(SelfAttention):
    """Attention of one's own that drops some of what is read."""

    def compute(self, q, k, v, num_rows):
        read, weights = super().compute(q, k, v, num_rows)
        return dropout(read, 0.5), weights


@MODELS.register_module(force=True)
class ChancePruner(TokenPruner):
    """A pruner of one's own that keeps patches by chance."""

    def score(self, tokens, attended):
        return torch.rand(tokens.visual.shape[:2])


@pytest.mark.parametrize(
    'options',
    [
        dict(drop_path=0.5),
        dict(attention=dict(type='DroppingAttention')),
        dict(pruner=dict(type='ChancePruner', keep_ratio=0.5, layers=[0])),
    ],
    ids=['drop path', 'attention', 'pruner'],
)
def test_what_is_computed_again_draws_the_same(options):
    found = []
    for checkpoint in (False, True):
        neck = small_neck(checkpoint_cycles=checkpoint, **options)
        torch.manual_seed(3)
        found.append(gradients(neck))
    assert all(torch.equal(one, other) for one, other in zip(*found, strict=True))


def test_the_state_of_generators_is_left_alone_where_nothing_draws():
    assert not small_neck(
        pruner=dict(type='FusingPruner', layers=[0]), cycle_adapter=dict(type='CycleNorm')
    )._may_draw()
    assert small_neck(drop_path=0.1)._may_draw()


def test_gradients_of_checkpointed_cycles_are_equal_to_the_last_bit():
    init_default_scope('mmpose')
    cfg = load_config(QUICK / 'sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48.py')
    torch.manual_seed(0)
    neck = MODELS.build(cfg.model.neck).train()
    width, height = neck.tokenizer.feature_size
    feature = torch.randn(2, cfg.model.neck.in_channels, height, width)
    found = []
    for neck.checkpoint_cycles in (False, True):
        neck.zero_grad()
        cycles = neck((feature,)).cycles
        sum(each.sequence.square().sum() for each in cycles).backward()
        found.append([parameter.grad.clone() for parameter in neck.parameters()])
    for one, other in zip(*found, strict=True):
        assert_close(one, other, atol=0, rtol=0)
