"""Shares of the loss, by hand."""

import pytest

from sdpose.engine.loss_shares import loss_shares, loss_terms


def test_terms_are_what_mmengine_adds_up() -> None:
    names = ['lr', 'loss', 'loss_kpt_cycle1', 'acc_pose', 'aux_loss', 'grad_norm']
    assert loss_terms(names) == ['loss_kpt_cycle1', 'aux_loss']


def test_shares_by_hand() -> None:
    assert loss_shares(dict(a=6.0, b=3.0, c=1.0)) == pytest.approx(dict(a=0.6, b=0.3, c=0.1))


def test_a_negative_likelihood_counts_by_its_magnitude() -> None:
    assert loss_shares(dict(nll=-3.0, b=1.0)) == dict(nll=0.75, b=0.25)


@pytest.mark.parametrize('means', [{}, dict(a=2.0), dict(a=0.0, b=0.0)])
def test_nothing_to_share(means: dict) -> None:
    assert loss_shares(means) == {}
