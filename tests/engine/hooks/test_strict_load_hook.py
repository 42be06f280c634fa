"""A checkpoint fills the model, or is refused before the model is touched."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

import sdpose  # noqa: F401
from sdpose.engine.hooks import StrictLoadHook, strict_load_hook
from sdpose.errors import MismatchError


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
    kept = torch.full((3, ), 7.)
    checkpoint = dict(state_dict=dict(weight=torch.zeros(5, 5), bias=kept, other=kept))
    StrictLoadHook(allow_partial=True).after_load_checkpoint(_runner(), checkpoint)
    assert checkpoint['state_dict'] == dict(bias=kept)
    assert 'fits the model in part only: 0 keys missing, 1 unexpected, 1 of another shape, 1 matched' in said[0]
