"""A value of another kind than its class states is refused before anything is built, and nothing else is."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import pytest
import torch

import sdpose  # noqa: F401
from sdpose.config.load import load_config
from sdpose.config.stated_types import check_stated_types, contradicts
from sdpose.errors import ConfigError

TINY = 'sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48'


@pytest.mark.parametrize(
    'key, value, wanted',
    [
        ('train_dataloader.pin_memory', 'often', 'True or False for DataLoader'),
        ('train_dataloader.sampler.shuffle', 'perhaps', 'True or False for DefaultSampler'),
        ('train_dataloader.dataset.data_prefix', 5, 'a dict'),
        ('train_dataloader.dataset.metainfo', 5, 'a dict or None'),
        ('log_processor.by_epoch', 'perhaps', 'True or False'),
        ('default_hooks.checkpoint.filename_tmpl', 5, 'text or None'),
        ('default_hooks.checkpoint.out_dir', 5, 'text or None'),
        ('default_hooks.checkpoint.by_epoch', 'perhaps', 'True or False'),
        ('train_dataloader.dataset.data_mode', 5, 'text for CocoDataset'),
        ('optim_wrapper.optimizer.foreach', 'perhaps', 'True or False or None for Adam'),
        ('param_scheduler.1.by_epoch', 'perhaps', 'True or False'),
        ('randomness.deterministic', 'perhaps', 'True or False'),
        ('env_cfg.cudnn_benchmark', 'perhaps', 'True or False'),
        ('model.test_cfg.flip_test', 'perhaps', 'True or False'),
        ('compile', 'maybe', 'True or False or a dict'),
        ('resume', 'perhaps', 'True or False'),
    ],
)
def test_a_word_for_a_switch_and_the_like(key: str, value: Any, wanted: str) -> None:
    with pytest.raises(ConfigError, match=f'{key} is {value!r}: it must be {wanted}'):
        load_config(TINY, {key: value})


@pytest.mark.parametrize(
    'value, stated, does',
    [
        ('a', bool, True),
        (1, bool, False),
        ('a', bool | None, True),
        (None, bool, False),
        (5, str, True),
        (5, str | Path, True),
        (5, torch.Tensor | str, False),
        ([1], float, False),
        (1, Sequence[int], False),
        ('a', Sequence[int], True),
        ('a', list, False),
        ('a', tuple[float, ...], True),
        (5, dict[str, Any] | list[dict], True),
        ('a', Literal['a', 'b'], False),
        (5, Literal['a', 'b'], True),
        ('a', Any, False),
        ('a', None, False),
    ],
)
def test_only_another_kind_contradicts(value: Any, stated: Any, does: bool) -> None:
    assert contradicts(value, stated) == does


def test_what_is_data_is_not_looked_at() -> None:
    check_stated_types(dict(metainfo=dict(type='CheckpointHook', interval='a')))


def test_a_library_whose_annotations_are_not_true_is_not_held_to_them() -> None:
    check_stated_types(dict(pipeline=[dict(type='torchvision/RandomErasing', value='random')]))
