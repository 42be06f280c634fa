"""The keep ratio over training."""

from types import SimpleNamespace

import pytest
from mmengine.logging import MessageHub

from sdpose.engine.hooks import KeepRatioHook
from sdpose.errors import ConfigError
from sdpose.models import MultiCycledTransformer, TokenPruner

WARNED = []


def runner(pruner, iteration, per_epoch=10, max_epochs=None):
    neck = MultiCycledTransformer(8, (4, 4), (2, 2), num_queries=1, dim=8)
    neck.pruner = pruner
    return SimpleNamespace(
        model=SimpleNamespace(neck=neck),
        iter=iteration,
        train_dataloader=range(per_epoch),
        message_hub=MessageHub('keep_ratio'),
        max_epochs=max_epochs,
        logger=SimpleNamespace(warning=WARNED.append),
    )


@pytest.mark.parametrize(
    'epoch, ratio', [(0, 1.0), (9.9, 1.0), (10, 1.0), (60, 0.85), (35, 0.9560660), (110, 0.7), (299, 0.7)]
)
def test_cosine_by_hand(epoch, ratio):
    assert KeepRatioHook().ratio_at(epoch, 0.7) == pytest.approx(ratio, abs=1e-6)


def test_sets_the_training_ratio_only():
    pruner = TokenPruner(keep_ratio=0.7)
    hook = KeepRatioHook(start_epochs=1, anneal_epochs=2)
    hook.before_train(runner(pruner, 0))
    hook.before_train_iter(runner(pruner, 5), 5)
    assert pruner.train().ratio == 1 and not pruner.applies(3, 1)
    assert pruner.eval().ratio == 0.7 and pruner.applies(3, 1)
    later = runner(pruner, 20)
    hook.before_train_iter(later, 0)
    assert pruner.train().ratio == later.message_hub.get_scalar('train/keep_ratio').current() == pytest.approx(0.85)
    hook.before_train_iter(runner(pruner, 30), 0)
    assert pruner.ratio == 0.7


def test_bad_input():
    with pytest.raises(ValueError, match='start_epochs=-1'):
        KeepRatioHook(start_epochs=-1)
    with pytest.raises(ValueError, match='and finite, got start_epochs=10 and anneal_epochs=nan'):
        KeepRatioHook(anneal_epochs=float('nan'))
    with pytest.raises(ConfigError, match='anneals model.neck.pruner, which this config does not have'):
        KeepRatioHook().before_train(runner(None, 0))


def test_a_training_that_ends_before_it_prunes_in_full_is_told(monkeypatch):
    monkeypatch.setitem(globals(), 'WARNED', said := [])
    hook = KeepRatioHook(start_epochs=10, anneal_epochs=100)
    for max_epochs in (110, 300, None):
        hook.before_train(runner(TokenPruner(keep_ratio=0.7), 0, max_epochs=max_epochs))
    assert said == []
    hook.before_train(runner(TokenPruner(keep_ratio=0.7), 0, max_epochs=60))
    assert len(said) == 1
    assert 'reaches keep_ratio=0.7 after 110 epochs, but this training has 60 and ends at 0.85' in said[0]
