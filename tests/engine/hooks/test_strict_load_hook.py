"""A checkpoint fills the model, or is refused before the model is touched."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.runner import BaseLoop, IterBasedTrainLoop
from torch import nn

import sdpose  # noqa: F401
from sdpose.engine.hooks import StrictLoadHook, strict_load_hook
from sdpose.errors import ConfigError, MismatchError, UserError


def _runner() -> SimpleNamespace:
    return SimpleNamespace(model=nn.Linear(2, 3), _load_from='some.pth')


def test_a_full_checkpoint_passes_unchanged() -> None:
    runner = _runner()
    checkpoint = dict(state_dict=runner.model.state_dict())
    StrictLoadHook().after_load_checkpoint(runner, checkpoint)
    assert checkpoint['state_dict'].keys() == {'weight', 'bias'}


def test_a_partial_one_is_refused_with_the_way_around() -> None:
    with pytest.raises(MismatchError, match=r'(?s)^some.pth does not fit.*missing +bias.*--allow-partial'):
        StrictLoadHook().after_load_checkpoint(_runner(), dict(state_dict=dict(weight=torch.zeros(3, 2))))


def test_allowed_partial_loading_keeps_what_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    said = []
    monkeypatch.setattr(strict_load_hook, 'print_log', lambda message, *_: said.append(message))
    kept = torch.full((3,), 7.0)
    checkpoint = dict(state_dict=dict(weight=torch.zeros(5, 5), bias=kept, other=kept))
    StrictLoadHook(allow_partial=True).after_load_checkpoint(_runner(), checkpoint)
    assert checkpoint['state_dict'] == dict(bias=kept)
    assert 'fits the model in part only: 0 keys missing, 1 unexpected, 1 of another shape, 1 matched' in said[0]


class WithFlow(nn.Module):
    """A deployed layer, and one that only the loss reads."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Linear(2, 2)
        self.head = nn.Module()
        self.head.loss_module = nn.Module()
        self.head.loss_module.flow = nn.Linear(1, 1)


FLOW = ['head.loss_module.flow.bias', 'head.loss_module.flow.weight']


def _published(stripped: list[str], *without: str) -> dict:
    weights = {key: value + 1 for key, value in WithFlow().state_dict().items() if key not in without}
    return dict(state_dict=weights, meta=dict(stripped=stripped))


def test_a_published_file_may_lack_what_it_names_as_taken_out(monkeypatch: pytest.MonkeyPatch) -> None:
    said = []
    monkeypatch.setattr(strict_load_hook, 'print_log', lambda message, *_: said.append(message))
    runner = SimpleNamespace(model=WithFlow(), _load_from='some.pth')
    checkpoint = _published(FLOW, *FLOW)
    StrictLoadHook().after_load_checkpoint(runner, checkpoint)
    assert said == [
        'some.pth was published without its 2 training-only tensors (head.loss_module.flow): they keep '
        'their initial values, which testing never reads'
    ]
    own = runner.model.state_dict()
    assert checkpoint['state_dict'].keys() == own.keys()
    for key in own:
        assert torch.equal(checkpoint['state_dict'][key], own[key]) == (key in FLOW)


@pytest.mark.parametrize(
    'checkpoint',
    [
        dict(_published(FLOW, *FLOW), meta={}),  # says nothing
        _published(FLOW[:1], *FLOW),  # names one of the two
        _published([*FLOW, 'backbone.bias'], *FLOW, 'backbone.bias'),  # names a part that predicting needs
        dict(_published(FLOW, *FLOW), meta='text'),
    ],
    ids=['undeclared', 'in part', 'deployed', 'no meta'],
)
def test_nothing_else_may_be_missing(checkpoint: dict) -> None:
    with pytest.raises(MismatchError, match='keys missing'):
        StrictLoadHook().after_load_checkpoint(SimpleNamespace(model=WithFlow()), checkpoint)


def test_a_tensor_that_is_there_is_taken_although_named() -> None:
    checkpoint = _published(FLOW)
    before = dict(checkpoint['state_dict'])
    StrictLoadHook().after_load_checkpoint(SimpleNamespace(model=WithFlow()), checkpoint)
    assert checkpoint['state_dict'] == before


def test_weights_alone_are_no_training_to_resume() -> None:
    runner = _runner()
    runner._resume = True
    message = 'some.pth holds weights, not a training to resume .*no optimizer, epoch.* load_from=some.pth$'
    with pytest.raises(UserError, match=message):
        StrictLoadHook().after_load_checkpoint(runner, dict(state_dict=runner.model.state_dict()))


@pytest.mark.parametrize(
    'learned, tested, words',
    [
        (dict(classes=('cat', 'dog')), dict(classes=('cat', 'dog')), None),
        (dict(classes=('cat', 'dog')), dict(classes=('dog', 'fox')), "label 0 (counted from 0) is 'dog'"),
        (dict(keypoint_id2name={1: 'knee', 0: 'hip'}), dict(keypoint_id2name={0: 'hip', 1: 'toe'}), 'label 1 (counted'),
        (None, dict(classes=('cat',)), None),
    ],
)
def test_labels_of_a_test_that_the_checkpoint_did_not_learn_are_said(monkeypatch, learned, tested, words) -> None:
    said = []
    monkeypatch.setattr(strict_load_hook, 'print_log', lambda message, *_: said.append(message))
    runner = _runner()
    checkpoint = dict(state_dict=runner.model.state_dict(), meta=dict(dataset_meta=learned))
    StrictLoadHook().after_load_checkpoint(runner, checkpoint)  # a training
    assert said == []
    runner._test_loop = SimpleNamespace(dataloader=SimpleNamespace(dataset=SimpleNamespace(metainfo=tested)))
    StrictLoadHook().after_load_checkpoint(runner, checkpoint)
    assert (words is None and said == []) or words in said[0]


class WithHead(nn.Module):
    """A backbone, and a head of any width."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.backbone = nn.Linear(2, 2)
        self.head = nn.Linear(2, outputs)


def _loads(hook: StrictLoadHook, weights: dict, **more: object) -> dict:
    runner = SimpleNamespace(model=WithHead(3), _load_from='some.pth', **more)
    checkpoint = dict(state_dict=dict(weights))
    hook.after_load_checkpoint(runner, checkpoint)
    assert torch.equal(checkpoint['state_dict']['head.weight'], runner.model.head.weight)
    return checkpoint['state_dict']


def test_a_fresh_part_starts_anew_and_all_else_must_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    said = []
    monkeypatch.setattr(strict_load_hook, 'print_log', lambda message, *_: said.append(message))
    training = BaseLoop.__new__(IterBasedTrainLoop)
    weights = {**WithHead(5).state_dict(), 'head.more': torch.zeros(1)}
    for fresh in (['head'], 'head', ('head.',)):
        loaded = _loads(StrictLoadHook(fresh=fresh), weights, _train_loop=training)
        assert loaded.keys() == WithHead(3).state_dict().keys()
        assert torch.equal(loaded['backbone.weight'], weights['backbone.weight'])
    assert said[0] == (
        'some.pth: takes over 2 tensors of backbone; head starts anew (2 tensors; 3 of the checkpoint are left out)'
    )
    del weights['backbone.bias']
    with pytest.raises(MismatchError, match='missing +backbone.bias'):
        _loads(StrictLoadHook(fresh=['head']), weights, _train_loop=training)
    with pytest.raises(ConfigError, match='fresh names heads, which this model does not have: its parts are backb'):
        _loads(StrictLoadHook(fresh=['heads']), weights, _train_loop=training)


@pytest.mark.parametrize('more', [{}, dict(_train_loop=dict(by_epoch=True)), dict(_resume=True)])
def test_tests_and_resumed_trainings_leave_nothing_out(more: dict) -> None:
    if '_resume' in more:
        more = dict(more, _train_loop=BaseLoop.__new__(IterBasedTrainLoop))
    with pytest.raises(MismatchError, match='head.weight'):
        _loads(StrictLoadHook(fresh=['head']), WithHead(5).state_dict(), **more)
