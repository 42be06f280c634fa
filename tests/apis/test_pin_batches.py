"""Memory is pinned where a GPU is, and nothing else has been said."""

import pytest
import torch
from mmengine.config import Config

from sdpose.apis.training import _pin_batches


@pytest.mark.parametrize(
    'has_gpu, given, expected',
    [(True, {}, True), (True, dict(pin_memory=False), False), (False, {}, None), (False, dict(pin_memory=True), True)],
)
def test_batches_are_pinned_where_a_gpu_is(has_gpu, given, expected, monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: has_gpu)
    cfg = Config(dict(train_dataloader=dict(batch_size=2, **given)))
    _pin_batches(cfg)
    assert cfg.train_dataloader.get('pin_memory') is expected
