"""Options and values that were once read late, in part or not at all, as a user gives them."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sdpose.apis import testing, training
from sdpose.errors import ConfigError, UserError

pytestmark = pytest.mark.long  # each starts tools, which takes seconds

SHORT: dict[str, Any] = {
    'train_cfg.max_epochs': 1,
    'train_cfg.val_interval': 1,
    'train_dataloader.num_workers': 0,
    'val_dataloader.num_workers': 0,
}


@pytest.fixture
def here(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The workspace as the current folder."""
    monkeypatch.chdir(workspace)
    return workspace


def _leaf(folder: Path, text: str) -> str:
    (folder / 'leaf.py').write_text(f"_base_ = './tiny.py'\n{text}\n")
    return 'leaf.py'


def test_a_validation_every_0_epochs(here: Path) -> None:
    with pytest.raises(ConfigError, match='train_cfg.val_interval is 0: .*--no-validate'):
        training.train('tiny.py', cfg_options={**SHORT, 'train_cfg.val_interval': 0})
    assert not list(here.rglob('*.pth'))


@pytest.mark.parametrize(
    'wrapper, line',
    [
        ("type='AmpOptimWrapper'", 'optim_wrapper.type=AmpOptimWrapper: no GPU is seen, training in float32'),
        ("type='AmpOptimWrapper', dtype='bfloat16'", 'no GPU is seen, mixed precision in bfloat16 on the CPU'),
    ],
)
def test_mixed_precision_of_a_config_without_a_gpu(
    here: Path, wrapper: str, line: str, run_tool: Callable, request: pytest.FixtureRequest
) -> None:
    leaf = _leaf(
        here, f'optim_wrapper = dict({wrapper}, accumulative_counts=2)\nauto_scale_lr = dict(base_batch_size=8)'
    )
    done = run_tool(
        *('tools/train.py', leaf, '--work-dir', 'run', '--auto-scale-lr', '--cfg-options'),
        *(f'{key}={value}' for key, value in SHORT.items()),
        'custom_hooks=[{type: EMAHook}]',
        cwd=here,
        check=True,
    )
    log = done.stdout + done.stderr
    assert line in log
    # A step takes two batches of 4, the 8 that the learning rate belongs to.
    assert 'Scaling the original LR by 1.0' in log
    assert 'EMAHook' in log
    assert 'ends at epoch 40, but the training at 1 (train_cfg.max_epochs)' in log
    best = next((here / 'run').glob('best_*.pth'))
    with pytest.raises(UserError, match=f'{best} holds weights, not a training to resume .*load_from=.*epoch_1.pth'):
        training.train('leaf.py', resume=str(best), cfg_options=SHORT)


def test_an_option_of_the_step_that_the_machine_has_not(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('CXX', 'no-such-compiler')
    with pytest.raises(
        ConfigError, match='neck.compile_cycles needs a C.. compiler, and no-such-compiler is not found'
    ):
        training.train('tiny.py', cfg_options={**SHORT, 'model.neck.compile_cycles': True})
    assert not list(here.rglob('*.pth'))


def test_results_without_a_place(here: Path) -> None:
    leaf = _leaf(here, 'val_evaluator = dict(format_only=True)')
    with pytest.raises(ConfigError, match='val_evaluator.outfile_prefix does not say where'):
        training.train(leaf, cfg_options=SHORT)


def test_another_metric_with_the_bases_best(here: Path) -> None:
    leaf = _leaf(here, "val_evaluator = dict(_delete_=True, type='EPE')")
    with pytest.raises(ConfigError, match="save_best is 'coco/AP', but val_evaluator gives EPE"):
        training.train(leaf, cfg_options=SHORT)


def test_a_folder_with_blanks_and_commas(here: Path, trained: SimpleNamespace, run_tool: Callable) -> None:
    (here / 'my data').mkdir()
    (here / 'data/coco').rename(here / 'my data/a,b')
    done = run_tool(
        'tools/test.py', 'tiny.py', trained.run / 'epoch_40.pth', '--cfg-options', 'data_root=my data/a,b/', cwd=here
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert 'my data/a,b/person_detection_results' in done.stdout + done.stderr


def test_a_test_that_measures_nothing(here: Path, trained: SimpleNamespace) -> None:
    with pytest.raises(ConfigError, match='tiny.py has no test_evaluator: there is nothing to measure'):
        testing.test('tiny.py', str(trained.run / 'epoch_40.pth'), cfg_options=dict(test_evaluator=None))


def test_a_config_that_fails_is_named_by_every_entry(here: Path) -> None:
    import sdpose

    (here / 'zero.py').write_text('a = 1\nb = a / 0')
    text = "model = dict(distiller=dict(_delete_=True, type='TeacherDistiller', teacher='zero.py', checkpoint='a.pth', "
    leaf = _leaf(here, text + "terms=dict(loss_a=dict(type='TokenMSELoss', on='query'))))")
    for call in (
        lambda: sdpose.train('zero.py'),
        lambda: sdpose.test('zero.py', 'a.pth'),
        lambda: sdpose.publish('zero.py', 'a.pth', 'out/'),
        lambda: sdpose.init_model('zero.py'),
        lambda: sdpose.train(leaf, cfg_options=SHORT),
    ):
        with pytest.raises(ConfigError, match=r'zero.py cannot be read: ZeroDivisionError: division by zero \(line 2'):
            call()


@pytest.mark.parametrize('device', ['cuda:99', 'tpus', 'cuda:x'])
def test_a_device_that_there_is_not(device: str) -> None:
    import sdpose

    with pytest.raises(UserError, match=f"device='{device}'.*this machine has cpu"):
        sdpose.init_model('sdpose-tiny_stemnet_1xb32-30e_synthetic-64x48', device=device)
