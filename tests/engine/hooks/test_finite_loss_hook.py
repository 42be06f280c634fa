"""Training stops at the first value that is not a number."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.logging import MessageHub

import sdpose  # noqa: F401
from sdpose.engine.hooks import FiniteLossHook
from sdpose.errors import NonFiniteError


def _runner(**values) -> SimpleNamespace:
    hub = MessageHub('finite_loss_test')
    for name, value in values.items():
        hub.update_scalar(f'train/{name}', value)
    return SimpleNamespace(message_hub=hub, iter=41, epoch=2)


def _check(**values) -> None:
    FiniteLossHook().after_train_iter(_runner(**values), 5, outputs=values)


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


def test_only_this_step_counts() -> None:
    hub = _runner(loss=float('nan'))
    hub.message_hub.update_scalar('train/loss', 1.0)
    FiniteLossHook().after_train_iter(hub, 0, outputs=dict(loss=1.0))


def test_no_device_value_is_read() -> None:
    # The outputs may still lie on a device; reading them again would be a second synchronisation.
    runner = _runner(loss=1.0)
    FiniteLossHook().after_train_iter(runner, 0, outputs=dict(loss=torch.tensor(float('nan'))))


def test_broken_weights_are_never_saved() -> None:
    weights = dict(a=torch.ones(2), b=torch.tensor([1.0, float('inf')]), count=torch.tensor(3))
    with pytest.raises(NonFiniteError, match='at step 42: 1 weights are NaN or infinite, the first is b'):
        FiniteLossHook().before_save_checkpoint(_runner(), dict(state_dict=weights))
    weights['b'] = torch.ones(2)
    FiniteLossHook().before_save_checkpoint(_runner(), dict(state_dict=weights))
