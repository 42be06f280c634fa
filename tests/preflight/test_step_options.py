"""Options of the training step that cannot be done are named, with what to do instead."""

import pytest
import torch
from mmengine.config import Config

from sdpose.errors import ConfigError
from sdpose.preflight import step_options
from sdpose.preflight.step_options import check_step_options, warn_of_accumulation


@pytest.fixture
def said(monkeypatch):
    lines = []
    monkeypatch.setattr(step_options, 'print_log', lambda text, *_: lines.append(text))
    monkeypatch.setattr(step_options, 'get_device', lambda: 'cpu')
    monkeypatch.delenv('CXX', raising=False)
    return lines


def config(**values):
    return Config(dict(model=dict(neck={}, distiller={}), optim_wrapper=dict(optimizer=dict(type='Adam')), **values))


@pytest.mark.parametrize('key', ['model.neck.compile_cycles', 'compile'])
def test_compiling_without_a_compiler(key, said, monkeypatch):
    cfg = config()
    cfg.merge_from_dict({key: True})
    monkeypatch.setattr(step_options.shutil, 'which', lambda name: '/usr/bin/g++' if name == 'g++' else None)
    check_step_options(cfg, ['train'])
    monkeypatch.setenv('CXX', 'icpx')
    with pytest.raises(ConfigError, match=f'^{key} needs a C.. compiler, and icpx is not found: .*or set {key}=False$'):
        check_step_options(cfg, ['train'])
    monkeypatch.delenv('CXX')
    monkeypatch.setattr(step_options.shutil, 'which', lambda name: None)
    with pytest.raises(ConfigError, match='and none is found|none is not found'):
        check_step_options(cfg, ['train'])
    check_step_options(cfg, ['test'])  # which compiles nothing


@pytest.mark.parametrize(
    'has_triton, capability, fits', [(True, (7, 0), True), (False, (9, 0), False), (True, (6, 1), False)]
)
def test_compiling_on_a_gpu(has_triton, capability, fits, said, monkeypatch):
    monkeypatch.setattr(step_options, 'get_device', lambda: 'cuda')
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'get_device_capability', lambda: capability)
    monkeypatch.setattr(step_options, 'find_spec', lambda name: has_triton or None)
    cfg = config(compile=True)
    if fits:
        check_step_options(cfg, ['train'])
    else:
        with pytest.raises(ConfigError, match='^compile needs triton and a GPU of compute capability 7.0 or more'):
            check_step_options(cfg, ['train'])


def test_norms_of_several_processes(said):
    with pytest.raises(ConfigError, match="sync_bn is True: it must be 'torch' or 'mmcv'"):
        check_step_options(config(sync_bn=True), ['train'])
    with pytest.raises(ConfigError, match="sync_bn='torch' needs GPUs, and none is seen: set sync_bn=None"):
        check_step_options(config(sync_bn='torch', launcher='pytorch'), ['train'])
    assert said == []
    check_step_options(config(sync_bn='torch', launcher='none'), ['train'])
    assert said == ['sync_bn: one process has nothing to synchronize, batch norms are as ever']


def test_a_teacher_in_float16_on_a_cpu(said):
    cfg = config()
    cfg.model.distiller.teacher_precision = 'float16'
    with pytest.raises(ConfigError, match="teacher_precision is 'float16', .* take 'bfloat16', or leave it out"):
        check_step_options(cfg, ['train'])


def test_two_ways_of_one_step(said):
    cfg = config()
    cfg.optim_wrapper.optimizer.update(fused=True, foreach=True)
    with pytest.raises(ConfigError, match='optim_wrapper.optimizer.fused and optim_wrapper.optimizer.foreach are two'):
        check_step_options(cfg, ['train'])
    cfg.optim_wrapper = dict(a=dict(optimizer=dict(type='Adam', fused=True, foreach=True)))
    with pytest.raises(ConfigError, match='optim_wrapper.a.optimizer.fused'):
        check_step_options(cfg, ['train'])


@pytest.mark.parametrize('counts, batches, others', [(1, 7, None), (5, 290, None), (3, 290, '2, 5, 10'), (4, 7, '7')])
def test_updates_that_do_not_end_with_the_epoch(counts, batches, others, said):
    warn_of_accumulation(counts, batches)
    assert len(said) == (others is not None)
    if others:
        assert f'accumulative_counts={counts} does not divide the {batches} batches' in said[0]
        assert f'; {others} would, or another train_dataloader.batch_size' in said[0]
