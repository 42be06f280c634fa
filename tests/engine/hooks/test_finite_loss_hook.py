"""Training stops at the first value that is not a number."""

import math
from types import SimpleNamespace

import pytest
import torch
from device_reads import reads
from mmengine.hooks import LoggerHook

import sdpose  # noqa: F401
from sdpose.engine.hooks import FiniteLossHook
from sdpose.engine.hooks.finite_loss_hook import name_broken_loss
from sdpose.errors import NonFiniteError


def _runner(step: int = 41, interval: int = 1) -> SimpleNamespace:
    hooks = [LoggerHook(interval=interval)] if interval else []
    return SimpleNamespace(hooks=hooks, iter=step, epoch=2, train_dataloader=range(1000))


def _check(**values) -> None:
    FiniteLossHook().after_train_iter(_runner(), 5, outputs=values)


def test_finite_terms_pass() -> None:
    _check(loss=1.5, loss_kpt=1.5)


def test_the_broken_term_and_the_step_are_named() -> None:
    with pytest.raises(
        NonFiniteError,
        match=r'training stopped: loss_query = nan at step 42 \(epoch 3, batch 6\); '
        r'still finite: loss_kpt = 0.5\. No checkpoint',
    ):
        _check(loss=float('nan'), loss_kpt=0.5, loss_query=float('nan'))


def test_damaged_data_are_named_as_a_cause() -> None:
    with pytest.raises(
        NonFiniteError,
        match=r'lower learning rate, a longer warm-up or without --amp; if it stops '
        r'again, look for a damaged image or annotation \(NaN or huge numbers\)',
    ):
        _check(loss=float('nan'))


def test_an_infinite_total_of_finite_terms_is_named() -> None:
    with pytest.raises(NonFiniteError, match='training stopped: loss = inf'):
        _check(loss=float('inf'), loss_kpt=1e38)


STEPS = [dict(loss=torch.tensor(value), loss_kpt=torch.tensor(value)) for value in (1.0, math.nan, 2.0, math.nan)]


def _after(steps, interval):
    """A hook after some steps, of which none was to be read."""
    hook = FiniteLossHook()
    with reads() as count:
        for number, outputs in enumerate(steps):
            hook.after_train_iter(_runner(number + 41, interval), number, outputs=outputs)
    assert count == {}
    return hook


@pytest.mark.parametrize(
    'event, arguments',
    [
        ('after_train_iter', dict(batch_idx=99, outputs=STEPS[0])),  # the logger's step
        ('after_train_epoch', {}),
        ('before_val_epoch', {}),
        ('after_train', {}),
        ('before_save_checkpoint', dict(checkpoint=dict(state_dict={}))),
    ],
)
def test_the_step_that_broke_is_named_when_the_values_are_read(event, arguments) -> None:
    hook = _after(STEPS, interval=100)
    with pytest.raises(NonFiniteError, match=r'loss_kpt = nan at step 43 \(epoch 3, batch 2\)'):
        getattr(hook, event)(_runner(140, 100), **arguments)


def test_an_error_that_follows_from_a_broken_loss_is_not_what_is_said() -> None:
    hook = _after(STEPS, interval=0)
    runner = SimpleNamespace(hooks=[hook])
    with pytest.raises(NonFiniteError, match='loss_kpt = nan at step 43'), name_broken_loss(runner):
        raise IndexError('of a coordinate that is no number')
    with pytest.raises(IndexError, match='another'), name_broken_loss(runner):
        raise IndexError('another')


def test_what_was_checked_is_forgotten() -> None:
    hook = _after(STEPS[:1], interval=0)
    hook.after_train_epoch(_runner())
    assert hook._pending.take() == []
    hook = _after(STEPS, interval=0)
    hook.before_train(_runner())  # another training
    hook.after_train_epoch(_runner())


def test_broken_weights_are_never_saved() -> None:
    weights = dict(a=torch.ones(2), b=torch.tensor([1.0, float('inf')]), count=torch.tensor(3))
    with pytest.raises(NonFiniteError, match='at step 42: 1 weights are NaN or infinite, the first is b'):
        FiniteLossHook().before_save_checkpoint(_runner(), dict(state_dict=weights))
    weights['b'] = torch.ones(2)
    FiniteLossHook().before_save_checkpoint(_runner(), dict(state_dict=weights))
