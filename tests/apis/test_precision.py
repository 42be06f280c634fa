"""Mixed precision follows the machine, whoever asks for it."""

from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmpose.registry import OPTIM_WRAPPERS

import sdpose  # noqa: F401
from sdpose.apis import precision
from sdpose.apis.precision import set_evaluation_precision, set_training_precision
from sdpose.errors import ConfigError


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(precision, 'print_log', lambda text, *_: lines.append(text))
    monkeypatch.setattr(precision, 'get_device', lambda: 'cpu')
    return lines


AMP = dict(type='AmpOptimWrapper')
HOW = "optim_wrapper.dtype='bfloat16' trains in mixed precision on a CPU"


@pytest.mark.parametrize(
    'wrapper, amp, kind, line',
    [
        ({}, False, None, None),
        (dict(accumulative_counts=2), False, None, None),
        ({}, True, 'OptimWrapper', '--amp: no GPU is seen, training in float32; ' + HOW),
        (AMP, False, 'OptimWrapper', 'optim_wrapper.type=AmpOptimWrapper: no GPU is seen, training in float32; ' + HOW),
        (dict(AMP, loss_scale='dynamic', dtype='float16'), False, 'OptimWrapper', 'training in float32'),
        (dict(AMP, dtype='bfloat16', use_fsdp=False), False, 'CpuAmpOptimWrapper', 'in bfloat16 on the CPU'),
        (dict(dtype='bfloat16'), True, 'CpuAmpOptimWrapper', '--amp: .*in bfloat16 on the CPU'),
        (dict(AMP, dtype=torch.bfloat16), True, 'CpuAmpOptimWrapper', 'in bfloat16 on the CPU'),
    ],
)
def test_training_without_a_gpu(wrapper: dict, amp: bool, kind: str | None, line: str | None, said: list[str]) -> None:
    import re

    cfg = Config(dict(optim_wrapper=dict(wrapper, optimizer=dict(type='SGD', lr=1.0))))
    set_training_precision(cfg, amp)
    assert cfg.optim_wrapper.get('type') == kind
    assert not set(cfg.optim_wrapper) & {'loss_scale', 'dtype', 'use_fsdp'} or kind is None
    assert len(said) == (line is not None) and (line is None or re.search(line, said[0]))


def test_each_of_several_optimizers(said: list[str]) -> None:
    cfg = Config(dict(optim_wrapper=dict(constructor='C', a=dict(AMP, optimizer=dict()), b=dict(optimizer=dict()))))
    set_training_precision(cfg)
    assert (cfg.optim_wrapper.a.type, cfg.optim_wrapper.b.get('type')) == ('OptimWrapper', None)


def test_a_type_of_numbers_that_is_none(said: list[str]) -> None:
    with pytest.raises(ConfigError, match="optim_wrapper.dtype is 'half', but one of float16, bfloat16"):
        set_training_precision(Config(dict(optim_wrapper=dict(AMP, dtype='half'))))


@pytest.mark.parametrize('split', ['val', 'test'])
def test_evaluations_in_half_precision(split: str, said: list[str]) -> None:
    cfg = Config({f'{split}_cfg': dict(fp16=True)})
    set_evaluation_precision(cfg, split)
    assert cfg[f'{split}_cfg'].fp16 is False
    assert said == [f'{split}_cfg.fp16: no GPU is seen, evaluating in float32']


def test_with_a_gpu_a_config_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, 'get_device', lambda: 'cuda')
    cfg = Config(dict(optim_wrapper=dict(AMP, dtype='float16'), val_cfg=dict(fp16=True)))
    before = cfg.to_dict()
    set_training_precision(cfg)
    assert cfg.to_dict() == before
    cfg = Config(dict(optim_wrapper=dict(optimizer=dict())))
    set_training_precision(cfg, amp=True)
    assert cfg.optim_wrapper.to_dict() == dict(AMP, optimizer=dict(), loss_scale='dynamic')
    with pytest.raises(ConfigError, match='--amp replaces OptimWrapper, but optim_wrapper.type is Other'):
        set_training_precision(Config(dict(optim_wrapper=dict(type='Other'))), amp=True)


def test_the_forward_pass_is_in_bfloat16_and_the_weights_are_not() -> None:
    layer = torch.nn.Linear(2, 2)
    wrapper: Any = OPTIM_WRAPPERS.build(
        dict(type='CpuAmpOptimWrapper', optimizer=torch.optim.SGD(layer.parameters(), lr=1.0))
    )
    before = layer.weight.clone()
    with wrapper.optim_context(layer):
        out = layer(torch.ones(1, 2))
    assert out.dtype == torch.bfloat16
    wrapper.update_params(out.float().sum())
    assert layer.weight.dtype == torch.float32 and not torch.equal(before, layer.weight)


@pytest.mark.parametrize(
    'wrapper, amp, scale',
    [
        (dict(AMP, dtype='bfloat16'), False, dict(enabled=False)),
        (dict(dtype='bfloat16'), True, dict(enabled=False)),
        (dict(AMP, dtype='bfloat16', loss_scale=2.0), False, 2.0),
        (AMP, True, 'dynamic'),
        (dict(AMP, dtype='float16'), True, 'dynamic'),
    ],
)
def test_on_a_gpu_only_float16_is_scaled(
    wrapper: dict, amp: bool, scale: Any, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, 'get_device', lambda: 'cuda')
    cfg = Config(dict(optim_wrapper=dict(wrapper, optimizer=dict(type='SGD', lr=1.0))))
    set_training_precision(cfg, amp)
    assert cfg.optim_wrapper.type == 'AmpOptimWrapper' and cfg.optim_wrapper.get('loss_scale') == scale
