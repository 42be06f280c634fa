"""tools/model_converters/publish_model.py, and its files in tools/test.py and tools/train.py."""

import re
from collections.abc import Callable
from multiprocessing import active_children
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

from sdpose.apis import testing, training
from sdpose.errors import MismatchError, UserError
from sdpose.io.weights_file import load_file

_TOKENPOSE = {'model.neck.num_cycles': 1, 'model.distiller': None}
_LIKELIHOOD = """
_base_ = './tiny.py'
label = dict(type='RegressionLabel', input_size=(48, 64))
codec = dict(_delete_=True, **label)
model = dict(
    head=dict(_delete_=True, type='TokenRegHead', in_channels=32, mode='rle', decoder=label),
    test_cfg=dict(_delete_=True, flip_test=True))
train_dataloader = dict(dataset=dict(pipeline=[
    _base_.load, _base_.box, _base_.crop, dict(type='GenerateTarget', encoder=label), _base_.pack]))
val_evaluator = dict(score_mode='bbox_rle')
test_evaluator = val_evaluator
"""


def test_a_published_file_scores_as_its_checkpoint(
    trained: SimpleNamespace, tmp_path: Path, run_tool: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(trained.folder)
    before = testing.test('tiny.py', 'run/epoch_40.pth', work_dir=str(tmp_path / 'before'))
    metrics = next((tmp_path / 'before').glob('*/metrics.json'))
    done = run_tool(
        'tools/model_converters/publish_model.py',
        'tiny.py',
        'run/epoch_40.pth',
        f'{tmp_path}/pub/',
        '--metrics',
        metrics,
        cwd=trained.folder,
        check=True,
    )
    (file,) = (tmp_path / 'pub').iterdir()
    lines = done.stdout.splitlines()
    assert lines[0] == str(file) and re.fullmatch(r'tiny-[0-9a-f]{8}.pth', file.name)
    assert re.fullmatch(r'0\.\d MiB, 54 tensors; predictions before and after: equal', lines[1])
    assert lines[2:] == ['left out of the checkpoint: message_hub, optimizer, param_schedulers'] and done.stderr == ''
    meta = torch.load(file, weights_only=True)['meta']
    assert meta['metrics'] == before and meta['boxes'].startswith('person boxes: 9 detections')
    assert meta['training'] == dict(epoch=40, iter=120)

    after = testing.test('tiny.py', str(file), work_dir=str(tmp_path / 'after'))
    tokenpose = testing.test('tiny.py', str(file), work_dir=str(tmp_path / 'plain'), cfg_options=dict(_TOKENPOSE))
    assert after == before == tokenpose and before['coco/AP'] > 0


def test_a_refused_file_is_one_line_and_nothing_is_left(
    trained: SimpleNamespace, tmp_path: Path, run_tool: Callable
) -> None:
    done = run_tool(
        'tools/model_converters/publish_model.py',
        'tiny.py',
        'run/epoch_40.pth',
        f'{tmp_path}/pub/',
        '--cfg-options',
        'model.neck.dim=64',
        'model.head.in_channels=64',
        cwd=trained.folder,
    )
    assert done.returncode == 2 and done.stdout == '' and not (tmp_path / 'pub').exists()
    assert done.stderr.startswith('error: run/epoch_40.pth does not fit the model') and 'Trace' not in done.stderr


@pytest.mark.long
def test_a_file_without_its_flow_is_tested_and_trained_on(
    workspace: Path, run_tool: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a file that names the flow as taken out may lack it."""
    monkeypatch.chdir(workspace)
    Path('flow.py').write_text(_LIKELIHOOD)
    init_default_scope('mmpose')
    torch.manual_seed(0)
    torch.save(dict(state_dict=MODELS.build(Config.fromfile('flow.py').model).state_dict()), 'whole.pth')
    workers = set(active_children())
    before = testing.test('flow.py', 'whole.pth', work_dir='before')
    done = run_tool(
        'tools/model_converters/publish_model.py', 'flow.py', 'whole.pth', 'pub/best', cwd=workspace, check=True
    )
    assert 'without 75 tensors that only training reads' in done.stdout
    (file,) = map(str, Path('pub').iterdir())
    assert testing.test('flow.py', file, work_dir='after') == before
    log = next(Path('after').glob('*/*.log')).read_text()
    assert f'{file} was published without its 75 training-only tensors (head.loss_module.flow_model)' in log
    assert 'do not match exactly' not in log

    once = {'load_from': file, 'train_cfg.max_epochs': 1, 'param_scheduler': None}
    training.train('flow.py', work_dir='tuned', no_validate=True, cfg_options=once)
    start, end = (load_file(path)['state_dict'] for path in (file, 'tuned/epoch_1.pth'))
    moved = (end['neck.tokenizer.query'] - start['neck.tokenizer.query']).abs().max()
    assert set(active_children()) <= workers  # nobody is left waiting for another epoch
    assert 0 < moved < 0.01  # three steps of Adam at 2e-3; another random start is 0.02 away on average
    with pytest.raises(UserError, match='holds weights, not a training to resume'):
        training.train('flow.py', work_dir='again', no_validate=True, resume=file)
    undeclared = torch.load(file, weights_only=True)
    del undeclared['meta']['stripped']
    torch.save(undeclared, 'undeclared.pth')
    with pytest.raises(MismatchError, match='75 keys missing'):
        testing.test('flow.py', 'undeclared.pth', work_dir='after')
