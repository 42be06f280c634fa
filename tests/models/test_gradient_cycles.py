"""Gradients through the first cycle and the last few alone, with everything else as it was."""

import pytest
import torch
from mmpose.registry import MODELS
from small_models import heatmap_batch
from test_heads_and_distillers import TERMS, model_config
from torch.testing import assert_close

from sdpose.errors import ConfigError

BATCH = heatmap_batch((48, 64))


def built(gradient_cycles=None, num_cycles=5, adapter=None, distiller=None, **head):
    """A model with random weights, which depend on the seed alone."""
    config = model_config(num_cycles=num_cycles, distiller=distiller, **head)
    config['neck'].update(gradient_cycles=gradient_cycles, cycle_adapter=adapter)
    torch.manual_seed(0)
    model = MODELS.build(config)
    model.init_weights()
    return model.train()


def gradients(model, losses):
    model.zero_grad()
    sum(value for name, value in losses.items() if 'loss' in name).backward()
    return {name: value.grad for name, value in model.named_parameters()}


def test_which_cycles_carry_gradients():
    for count, expected in ((1, [1]), (3, [1, 1, 1]), (4, [1, 0, 1, 1]), (5, [1, 0, 0, 1, 1])):
        model = built(gradient_cycles=2)
        model.neck.training_cycles = count  # as a hook sets it
        feats = model.extract_feat(BATCH[0])
        assert [each.sequence.requires_grad for each in feats.cycles] == expected
        names = [f'loss_kpt_cycle{cycle + 1}' for cycle, has in enumerate(expected) if has]
        assert [*model.head.supervised(feats).values()] == names
    model.eval()
    assert not model.extract_feat(BATCH[0]).fixed


def test_losses_are_the_plain_ones_and_the_gradient_is_cut():
    plain, cut = built(), built(gradient_cycles=2)
    images, samples = BATCH
    expected, losses = (model(images, samples, mode='loss') for model in (plain, cut))
    assert [*losses] == ['loss_kpt_cycle1', 'loss_kpt_cycle4', 'loss_kpt_cycle5', 'acc_pose']
    assert all(torch.equal(losses[name], expected[name]) for name in losses)
    found = gradients(cut, losses)
    # By hand: the first cycle's own loss, and the last two cycles begun with what cycle 3 ended with.
    neck, head = plain.neck, plain.head
    targets = head.targets(samples)
    tokens = neck.tokenizer(plain.backbone(images)[-1])
    sets = []
    for cycle in range(1, 6):
        if cycle == 4:
            tokens = tokens._replace(sequence=tokens.sequence.detach())
        tokens = neck.run_cycle(tokens, cycle)
        sets.append(tokens)
    by_hand = {f'loss{cycle}': head.loss_of(head.outputs(sets[cycle].query), targets) for cycle in (0, 3, 4)}
    wanted = gradients(plain, by_hand)
    assert all(
        torch.equal(found[name], wanted[name]) or assert_close(found[name], wanted[name]) is None for name in found
    )
    alone = gradients(plain, dict(loss=plain(images, samples, mode='loss')['loss_kpt_cycle1']))
    assert_close(found['backbone.conv1.weight'], alone['backbone.conv1.weight'])
    full = gradients(plain, expected)
    assert not torch.allclose(full['backbone.conv1.weight'], found['backbone.conv1.weight'], rtol=0.01)


def test_nothing_learns_in_between_and_every_parameter_has_a_gradient():
    terms = dict(loss_query=dict(type='TokenMSELoss', on='query'))
    distiller = dict(type='SelfDistiller', terms=terms, detach_teacher=True)
    model = built(gradient_cycles=2, adapter=dict(type='CycleNorm'), distiller=distiller)
    feats = model.extract_feat(BATCH[0])
    losses = model(*BATCH, mode='loss')
    q = [each.query for each in feats.cycles]
    assert_close(losses['loss_query'], (q[0] - q[1]).square().mean() + (q[3] - q[4]).square().mean())
    assert all(grad is not None for grad in gradients(model, losses).values())


@pytest.mark.parametrize('value, num_cycles', [(0, 5), (4, 5), (2, 3)])
def test_a_number_that_cuts_nothing_is_refused(value, num_cycles):
    with pytest.raises(ValueError, match=f'gradient_cycles={value} .* between 1 and num_cycles - 2 = {num_cycles - 2}'):
        built(gradient_cycles=value, num_cycles=num_cycles)
    with pytest.raises(ValueError, match='but num_cycles=2 has none: set num_cycles to 3 or more, or gradient_cycles'):
        built(gradient_cycles=1, num_cycles=2)


def test_a_loss_on_the_last_cycle_alone_is_refused():
    with pytest.raises(ConfigError, match="supervise='last' leaves backbone and first cycle without a gradient"):
        built(gradient_cycles=2, supervise='last')(*BATCH, mode='loss')
    distiller = dict(type='SelfDistiller', terms=TERMS)
    assert 'loss_kpt_cycle5' in built(supervise='last', distiller=distiller)(*BATCH, mode='loss')
