"""Self-distillation beyond the paper and cycles that differ, trained, resumed, published and tested as a user does."""

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from sdpose.apis import testing, training
from sdpose.errors import ConfigError, MismatchError
from sdpose.io.weights_file import load_file

STEERED = """
_base_ = './tiny.py'
token = dict(type='TokenMSELoss', normalize=True, loss_weight=0.01)
model = dict(
    neck=dict(num_cycles=3, cycle_adapter=[dict(type='CycleInjection'), dict(type='CycleLoRA', rank=2)]),
    head=dict(supervise=dict(_delete_=True, gamma=0.8)),
    distiller=dict(_delete_=True, type='SelfDistiller', teacher='last', detach_teacher=True, terms=dict(
        loss_query=dict(on='query', **token),
        loss_visual=dict(on='visual_content', **token),
        loss_prediction=dict(type='HeatmapLogitLoss', on='prediction'))))
custom_hooks = [
    dict(type='RandomCyclesHook'),
    dict(type='TeachingScheduleHook', epochs=4, end=0.5, trade=True),
    dict(type='OwnTeacherHook', momentum=0.1)]
train_dataloader = dict(num_workers=0, persistent_workers=False)
train_cfg = dict(max_epochs=4, val_interval=4)
param_scheduler = [dict(type='MultiStepLR', begin=0, end=4, milestones=[3], gamma=0.1, by_epoch=True)]
default_hooks = dict(checkpoint=dict(interval=2))
"""
PLAIN = {'model.neck.cycle_adapter': None}


@pytest.fixture
def steered(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (workspace / 'steered.py').write_text(STEERED)
    monkeypatch.chdir(workspace)
    return workspace


def equal(one: Any, other: Any) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.long
def test_from_training_to_publication(steered: Path, run_tool: Callable) -> None:
    training.train('steered.py', work_dir='whole')
    log = next(Path('whole').glob('*/*.log')).read_text()
    # The number of cycles varies, a term of one cycle alone has its own name, and shares are shown for what was run.
    cycles = [float(value) for value in re.findall(r'Epoch\(train\).*? cycles: (\S+)', log)]
    assert len(set(cycles)) > 1 and ' loss_kpt: ' not in log and ' loss_kpt_cycle3: ' in log
    assert re.findall(r' teaching: (\S+)', log)[0] == '0.000000'

    # From the middle on, a resumed training is the uninterrupted one, its copy of the model included.
    Path('parts').mkdir()
    shutil.copy('whole/epoch_2.pth', 'parts')
    Path('parts/last_checkpoint').write_text(str(Path('parts/epoch_2.pth').absolute()))
    training.train('steered.py', work_dir='parts', resume='auto')
    one, other = (load_file(f'{run}/epoch_4.pth') for run in ('whole', 'parts'))
    assert equal(one['state_dict'], other['state_dict']) and equal(one['own_teacher'], other['own_teacher'])
    adapters = [key for key in one['state_dict'] if key.startswith('neck.cycle_adapter.')]
    assert adapters and not equal(one['own_teacher'], load_file('whole/epoch_2.pth')['own_teacher'])

    # The adapters go with the publication, and with them nothing that the deployed model computes.
    run_tool(
        'tools/model_converters/publish_model.py', 'steered.py', 'whole/epoch_4.pth', 'pub/', check=True, cwd=steered
    )
    (file,) = Path('pub').iterdir()
    published = load_file(file)
    assert published['state_dict'].keys() == one['state_dict'].keys() - set(adapters)
    assert published['meta']['stripped'] == adapters
    before = testing.test('steered.py', 'whole/epoch_4.pth', work_dir='before')
    for name, options in (('after', {}), ('plain', PLAIN), ('token', {**PLAIN, 'model.neck.num_cycles': 1})):
        if name == 'token':
            options['model.distiller'] = None
        for checkpoint in (str(file), 'whole/epoch_4.pth'):
            found = testing.test('steered.py', checkpoint, work_dir=f'{name}_{len(checkpoint)}', cfg_options=options)
            assert found == before, (name, checkpoint)
    # Every cycle is measured with the adapters, which a published file does not have.
    cycles_found = testing.test('steered.py', 'whole/epoch_4.pth', work_dir='cycles', all_cycles=True)
    assert cycles_found['cycle1/coco/AP'] == before['coco/AP'] and 'cycle3/coco/AP' in cycles_found
    with pytest.raises(MismatchError, match='was published without its cycle adapters, .*without --all-cycles'):
        testing.test('steered.py', str(file), work_dir='refused', all_cycles=True)
    # Another rank is another model.
    with pytest.raises(MismatchError, match=r'cycle_adapter\.1\.changes\.0\.qkv\.a'):
        testing.test(
            'steered.py', 'whole/epoch_4.pth', work_dir='other', cfg_options={'model.neck.cycle_adapter.1.rank': 3}
        )


@pytest.mark.long
def test_two_processes_wait_for_no_gradient(steered: Path, repo_root: Path, tool_env: dict) -> None:
    """Adapters that a step of one cycle does not read would end a distributed training."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = str(probe.getsockname()[1])
    done = subprocess.run(
        ['bash', str(repo_root / 'tools/dist_train.sh'), 'steered.py', '2', '--work-dir', 'two', '--no-validate']
        + ['--cfg-options', 'train_dataloader.batch_size=2'],
        cwd=steered,
        env={**tool_env, 'PORT': port, 'PYTHON': sys.executable, 'PYTHONPATH': os.pathsep.join([str(repo_root)])},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    cycles = re.findall(r'Epoch\(train\).*? cycles: (\S+)', done.stdout + done.stderr)
    assert len(cycles) == 12 and len(set(cycles)) > 1
    assert all(value.isfinite().all() for value in load_file(steered / 'two/epoch_4.pth')['state_dict'].values())


def test_what_cannot_be_is_refused_before_anything_is_read(steered: Path) -> None:
    for options, said in (
        ({'model.neck.test_cycles': 2, 'custom_hooks': []}, 'is not published, but test_cycles=2 deploys'),
        ({'custom_hooks.1.epochs': 5}, 'custom_hooks.1 .TeachingScheduleHook. needs 5 epochs, but the training has 4'),
        ({'custom_hooks.0.low': 3}, 'RandomCyclesHook draws from low=3 to model.neck.num_cycles=3'),
        ({'model.head.supervise.gamma': 0.0}, r'dict\(gamma=...\) with a number above 0'),
        ({'model.distiller.teacher': 'first'}, "teacher='first' is unknown; choose one of next, last"),
    ):
        with pytest.raises(ConfigError, match=said):
            training.train('steered.py', work_dir='refused', cfg_options=options)
