"""Hooks that steer a training: how much is taught, by which copy of the model, over how many cycles."""

import copy
from collections import Counter
from types import SimpleNamespace

import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

import sdpose  # noqa: F401
from sdpose.config.load import load_config
from sdpose.engine.hooks import CycleCurriculumHook, OwnTeacherHook, RandomCyclesHook, TeachingScheduleHook
from sdpose.errors import ConfigError, MismatchError

TINY = 'sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48'


def model_of(**changes):
    config = copy.deepcopy(load_config(TINY).model)
    config.neck.update(num_cycles=changes.pop('num_cycles', 3), **changes.pop('neck', {}))
    config.update(changes)
    init_default_scope('mmpose')
    torch.manual_seed(0)
    return MODELS.build(config)


def runner(model, step=0, epoch=0, per_epoch=10, **more):
    return SimpleNamespace(
        model=model,
        iter=step,
        epoch=epoch,
        seed=3,
        rank=0,
        train_dataloader=range(per_epoch),
        message_hub=MessageHub('steering'),
        optim_wrapper=SimpleNamespace(should_update=lambda: True),
        _randomness_cfg={},
        max_epochs=None,
        _resume=False,
        **more,
    )


@pytest.mark.parametrize('epoch, factor', [(0, 0.2), (2, 0.2), (4, 0.5), (6, 0.8), (30, 0.8)])
def test_a_factor_by_hand(epoch, factor):
    hook = TeachingScheduleHook(epochs=4, start=0.2, end=0.8, begin=2)
    assert hook.factor_at(epoch) == pytest.approx(factor)
    falling = TeachingScheduleHook(epochs=4, start=1.0, end=0.0)
    assert falling.factor_at(1) == 0.75


@pytest.mark.parametrize('trade', [False, True])
def test_the_factor_of_a_step_is_set(trade):
    model = model_of()
    hook = TeachingScheduleHook(epochs=2, end=0.5, trade=trade)
    at = runner(model, step=10)
    hook.before_train(at)
    hook.before_train_iter(at, 0)
    assert model.distiller.factor == at.message_hub.get_scalar('train/teaching').current() == 0.25
    assert model.head.early_weight == (0.75 if trade else 1)


def test_odd_schedules_are_refused():
    for odd, said in (
        (dict(epochs=0), 'epochs=0'),
        (dict(epochs=1, begin=-1), 'begin=-1'),
        (dict(epochs=1, end=float('inf')), 'end=inf'),
        (dict(epochs=1, start=-0.1), 'start=-0.1'),
        (dict(epochs=1, end=2.0, trade=True), 'with trade=True a factor is a share of at most 1'),
    ):
        with pytest.raises(ValueError, match=said):
            TeachingScheduleHook(**odd)
    with pytest.raises(ConfigError, match='model.distiller teaches: this config has none'):
        TeachingScheduleHook(epochs=1).before_train(runner(model_of(distiller=None)))


def test_random_cycles_are_even_and_depend_on_seed_and_step_alone():
    hook = RandomCyclesHook()
    drawn = [hook.draw(0, step, 4) for step in range(4000)]
    counts = Counter(drawn)
    assert set(counts) == {1, 2, 3, 4}
    assert all(abs(count - 1000) < 4 * (1000 * 0.75) ** 0.5 for count in counts.values())
    assert drawn == [RandomCyclesHook().draw(0, step, 4) for step in range(4000)]
    assert drawn != [hook.draw(1, step, 4) for step in range(4000)]
    # Whatever the process, and whatever was drawn before.
    model = model_of()
    for step in (5, 6, 7):
        counts = set()
        for rank in (0, 3):
            torch.manual_seed(rank)
            at = runner(model, step=step)
            at.rank = rank
            hook.before_train_iter(at, 0)
            counts.add(model.neck.training_cycles)
            assert at.message_hub.get_scalar('train/cycles').current() == model.neck.training_cycles
        assert counts == {hook.draw(3, step, 3)}


@pytest.mark.parametrize('epoch, cycles', [(0, 1), (3, 1), (4, 2), (9, 2), (10, 3), (29, 3)])
def test_a_curriculum_by_hand(epoch, cycles):
    model, hook = model_of(), CycleCurriculumHook(epochs=[4, 10])
    at = runner(model, epoch=epoch)
    hook.before_train(at)
    hook.before_train_iter(at, 0)
    assert model.neck.training_cycles == cycles
    assert model.neck.num_cycles == 3


def test_numbers_of_cycles_that_do_not_fit_are_refused():
    for odd in ([], [0], [3, 3], [5, 4]):
        with pytest.raises(ValueError, match='epochs are rising numbers from 1 on'):
            CycleCurriculumHook(odd)
    with pytest.raises(ValueError, match='low must be at least 1 cycle, got 0'):
        RandomCyclesHook(low=0)
    for hook, fit, said in (
        (RandomCyclesHook(3), (3, 1), 'from low=3 to model.neck.num_cycles=3 cycles'),
        (RandomCyclesHook(1), (3, 2), 'at least model.neck.test_cycles=2'),
        (CycleCurriculumHook([2]), (3, 1), 'num_cycles is 3: give 2 epochs'),
        (CycleCurriculumHook([2]), (2, 2), 'begins with one cycle, but model.neck.test_cycles is 2'),
    ):
        with pytest.raises(ConfigError, match=said):
            hook.require_fit(*fit)
    plain = model_of(distiller=None)
    plain.neck = None
    with pytest.raises(ConfigError, match='RandomCyclesHook needs a MultiCycledTransformer'):
        RandomCyclesHook().before_train(runner(plain))


def moved(model, by=1.0):
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += by
        model.backbone.bn1.running_mean += by


def first(model):
    return next(model.parameters()).detach().clone()


def test_an_average_of_the_weights_by_hand():
    model, hook = model_of(), OwnTeacherHook(momentum=0.25)
    at = runner(model)
    hook.before_train(at)
    copied = model.distiller.own_teacher.model
    assert not copied.training and not any(p.requires_grad for p in copied.parameters())
    start = first(model)
    moved(model)
    hook.after_train_iter(at, 0)  # an average begins with the first step
    assert torch.equal(first(copied), start + 1)
    moved(model)
    hook.after_train_iter(at, 0)
    torch.testing.assert_close(first(copied), start + 1.25)
    assert torch.equal(copied.backbone.bn1.running_mean, model.backbone.bn1.running_mean)
    at.optim_wrapper.should_update = lambda: False  # one of several steps that are added up
    moved(model)
    hook.after_train_iter(at, 0)
    torch.testing.assert_close(first(copied), start + 1.25)


def test_a_copy_that_is_refreshed_by_hand():
    model, hook = model_of(), OwnTeacherHook(refresh_epochs=2)
    hook.before_train(runner(model))
    copied = model.distiller.own_teacher.model
    start = first(model)
    for epoch, expected in ((0, 0), (1, 2), (2, 2), (3, 4)):
        moved(model)
        hook.after_train_iter(runner(model, epoch=epoch), 0)
        hook.after_train_epoch(runner(model, epoch=epoch))
        torch.testing.assert_close(first(copied), start + expected)
    assert not any('own_teacher' in key for key in model.state_dict())


def test_a_resumed_training_goes_on_with_its_copy():
    model, hook = model_of(), OwnTeacherHook(momentum=0.25)
    at = runner(model)
    hook.before_train(at)
    moved(model)
    hook.after_train_iter(at, 0)
    moved(model)
    checkpoint = dict(optimizer={})
    hook.before_save_checkpoint(at, checkpoint)
    best: dict = {}
    hook.before_save_checkpoint(at, best)  # one that nobody resumes from
    assert best == {}
    again, other = copy.deepcopy(model), OwnTeacherHook(momentum=0.25)
    resumed = runner(again)
    resumed._resume = True
    other.after_load_checkpoint(resumed, checkpoint)
    other.before_train(resumed)
    for each, each_hook, each_runner in ((model, hook, at), (again, other, resumed)):
        moved(each)
        each_hook.after_train_iter(each_runner, 0)
    assert torch.equal(first(model.distiller.own_teacher.model), first(again.distiller.own_teacher.model))
    # A new training from its weights starts anew.
    other = OwnTeacherHook(momentum=0.25)
    other.after_load_checkpoint(runner(again), checkpoint)
    other.before_train(runner(again))
    assert torch.equal(first(again.distiller.own_teacher.model), first(again))
    odd = OwnTeacherHook(momentum=0.25)
    odd.after_load_checkpoint(resumed, dict(own_teacher=dict(steps=torch.tensor(1))))
    with pytest.raises(MismatchError, match='the own_teacher of the checkpoint does not fit'):
        odd.before_train(resumed)


def test_odd_copies_are_refused():
    for odd, said in (
        ({}, 'give one of momentum and refresh_epochs, got momentum=None'),
        (dict(momentum=0.1, refresh_epochs=1), 'give one of momentum'),
        (dict(momentum=1.0), 'between 0 and 1, got 1.0'),
        (dict(refresh_epochs=0), 'at least 1, got 0'),
    ):
        with pytest.raises(ValueError, match=said):
            OwnTeacherHook(**odd)
    with pytest.raises(ConfigError, match='needs model.distiller to be a SelfDistiller'):
        OwnTeacherHook(momentum=0.1).before_train(runner(model_of(distiller=None)))
    pruner = dict(type='TokenPruner', layers=[0], cycles=[1])
    with pytest.raises(ConfigError, match="a term compares on='visual', but the model prunes"):
        OwnTeacherHook(momentum=0.1).before_train(runner(model_of(neck=dict(pruner=pruner))))


@pytest.mark.parametrize('hook', [OwnTeacherHook(momentum=0.1), TeachingScheduleHook(epochs=2, trade=True)])
def test_a_hook_that_steers_nothing_is_refused(hook):
    """Pose losses would be traded for nothing: the first cycle, which is deployed, would be taught by nobody."""
    terms = dict(loss_query=None, loss_visual=None)
    model = model_of(distiller=dict(type='SelfDistiller', terms=terms))
    with pytest.raises(ConfigError, match=f'{type(hook).__name__} steers .* but all of its terms are None'):
        hook.before_train(runner(model))


def test_losses_that_are_not_there_are_not_traded():
    config = copy.deepcopy(load_config(TINY).model)
    model = model_of(head=dict(config.head, supervise='last'))
    with pytest.raises(ConfigError, match="model.head.supervise='last' leaves these out"):
        TeachingScheduleHook(epochs=2, trade=True).before_train(runner(model))
    TeachingScheduleHook(epochs=2).before_train(runner(model))
