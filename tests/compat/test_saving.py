"""Checkpoints survive a kill at any moment."""

import json
import os
import time
from pathlib import Path
from types import SimpleNamespace

import mmengine.runner.runner as runner_module
import pytest
import torch
from mmengine.config import Config
from mmengine.fileio import LocalBackend
from mmengine.hooks import CheckpointHook, checkpoint_hook
from mmengine.logging import MessageHub
from mmengine.runner.checkpoint import save_checkpoint

from sdpose.compat.saving import find_latest_checkpoint


def test_kill_20_times_while_saving(run_tool, tmp_path: Path):
    """With one checkpoint kept, nothing confirmed as saved is ever lost, and nothing listed is torn."""
    work_dir = tmp_path / 'work dir'
    done = run_tool('tests/compat/train_in_a_loop.py', work_dir, 20, 0, check=True)
    rounds = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{')]
    assert len(rounds) == 20
    for number, (before, after) in enumerate(zip([dict(latest=0)] + rounds, rounds), start=1):
        assert after['latest'] >= after['confirmed'] > before['latest'], f'{before} then {after}'
        # A kill after saving and before removing leaves one older file behind.
        assert after['latest'] <= max(after['listed'])
        assert len(after['listed']) <= number + 1
    assert any(after['torn'] for after in rounds), 'no kill hit a write, so this test proved nothing'
    assert rounds[-1]['torn'] <= 1, 'temporary files of killed processes pile up'


def test_every_caller_saves_atomically(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """When the disk fails in the middle of a write, the previous checkpoint stays."""
    target = tmp_path / 'epoch_1.pth'
    for save in (save_checkpoint, runner_module.save_checkpoint):
        save({'w': torch.ones(2)}, str(target))
        before = target.read_bytes()
        with monkeypatch.context() as patched:
            patched.setattr(os, 'fsync', lambda descriptor: (_ for _ in ()).throw(OSError(28, 'No space left')))
            with pytest.raises(OSError, match='No space left'):
                save({'w': torch.zeros(99)}, str(target))
        assert target.read_bytes() == before
        assert [file.name for file in tmp_path.iterdir()] == ['epoch_1.pth']


def test_the_marker_is_written_atomically(tmp_path: Path):
    marker = tmp_path / 'last_checkpoint'
    marker.write_text('old')
    with checkpoint_hook.open(str(marker), 'w') as file:
        file.write('new')
        assert marker.read_text() == 'old'
    assert marker.read_text() == 'new'


class SavingRunner:
    """As much of a runner as the hook asks for."""

    def __init__(self, work_dir: Path) -> None:
        self.work_dir, self.epoch, self.iter = str(work_dir), 0, 0
        self.message_hub = MessageHub(f'saving {time.time_ns()}')
        self.logger = SimpleNamespace(info=lambda text: None, warning=lambda text: None)
        self.seen = []

    def save_checkpoint(self, out_dir: str, filename: str, *args: object, **kwargs: object) -> None:
        self.seen.append(sorted(name for name in os.listdir(out_dir) if name.endswith('.pth')))
        save_checkpoint({'state_dict': {}}, os.path.join(out_dir, filename))


def make_hook(work_dir: Path) -> tuple:
    runner = SavingRunner(work_dir)
    hook = CheckpointHook(interval=1, max_keep_ckpts=1, save_best='AP', rule='greater')
    hook.before_train(runner)
    return hook, runner


def test_an_old_checkpoint_stays_until_the_new_one_is_there(tmp_path: Path):
    hook, runner = make_hook(tmp_path)
    hook._save_checkpoint(runner)
    runner.epoch = 1
    hook._save_checkpoint(runner)
    assert runner.seen == [[], ['epoch_1.pth']]
    assert sorted(path.name for path in tmp_path.glob('*.pth')) == ['epoch_2.pth']
    assert type(hook.file_backend) is LocalBackend


def test_the_best_checkpoint_stays_until_a_better_one_is_there(tmp_path: Path):
    hook, runner = make_hook(tmp_path)
    runner.epoch = 1
    hook._save_best_checkpoint(runner, {'AP': 0.1})
    runner.epoch = 2
    hook._save_best_checkpoint(runner, {'AP': 0.2})
    assert runner.seen == [[], ['best_AP_epoch_1.pth']]
    hook._save_best_checkpoint(runner, {'AP': 0.3})  # takes the name of the one it replaces
    assert sorted(path.name for path in tmp_path.glob('*.pth')) == ['best_AP_epoch_2.pth']


def test_a_failed_save_removes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    hook, runner = make_hook(tmp_path)
    hook._save_checkpoint(runner)
    runner.epoch = 1
    monkeypatch.setattr(runner, 'save_checkpoint', lambda *args, **kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        hook._save_checkpoint(runner)
    assert (tmp_path / 'epoch_1.pth').is_file()
    assert type(hook.file_backend) is LocalBackend


def checkpoint_at(folder: Path, name: str, age: int) -> Path:
    path = folder / name
    torch.save({'w': torch.zeros(8)}, path)
    os.utime(path, (time.time() - age,) * 2)
    return path


def test_resuming_follows_the_marker(tmp_path: Path):
    first = checkpoint_at(tmp_path, 'epoch_1.pth', 10)
    checkpoint_at(tmp_path, 'epoch_2.pth', 0)
    (tmp_path / 'last_checkpoint').write_text(str(first))
    assert runner_module.find_latest_checkpoint(str(tmp_path)) == str(first)


@pytest.mark.parametrize('marker', ['', 'epoch_7.pth', '\x00\x00', None, 'x' * 5000 + '.pth', '/'])
def test_resuming_without_a_usable_marker_takes_the_newest_complete_one(tmp_path: Path, marker):
    newest = checkpoint_at(tmp_path, 'epoch_10.pth', 10)
    checkpoint_at(tmp_path, 'epoch_9.pth', 20)
    checkpoint_at(tmp_path, 'best_coco_AP_epoch_9.pth', 0)  # holds no optimizer
    torn = checkpoint_at(tmp_path, 'epoch_11.pth', 5)
    torn.write_bytes(torn.read_bytes()[:-30])
    if marker is not None:
        (tmp_path / 'last_checkpoint').write_text(marker)
    assert find_latest_checkpoint(str(tmp_path)) == str(newest)


def test_resuming_in_a_moved_folder(tmp_path: Path):
    moved = checkpoint_at(tmp_path, 'epoch_1.pth', 10)
    checkpoint_at(tmp_path, 'epoch_2.pth', 0)
    (tmp_path / 'last_checkpoint').write_text('/old/place/epoch_1.pth')
    assert find_latest_checkpoint(str(tmp_path)) == str(moved)


def test_a_copied_folder_resumes_itself(tmp_path: Path):
    original, copy = tmp_path / 'original', tmp_path / 'copy'
    for folder in (original, copy):
        folder.mkdir()
        checkpoint_at(folder, 'epoch_1.pth', 10)
        (folder / 'last_checkpoint').write_text(str(original / 'epoch_1.pth'))
    assert find_latest_checkpoint(str(copy)) == str(copy / 'epoch_1.pth')


def test_a_copied_folder_prefers_its_own(tmp_path: Path):
    """Although the marker leads to the original, in which the named one is sound."""
    original, copy = tmp_path / 'original', tmp_path / 'copy'
    for folder in (original, copy):
        folder.mkdir()
        checkpoint_at(folder, 'epoch_1.pth', 10)
        checkpoint_at(folder, 'epoch_2.pth', 0)
        (folder / 'last_checkpoint').write_text(str(original / 'epoch_2.pth'))
    (copy / 'epoch_2.pth').write_bytes(b'torn')
    assert find_latest_checkpoint(str(copy)) == str(copy / 'epoch_1.pth')


def test_the_age_of_files_plays_no_part(tmp_path: Path):
    """A copy may touch the oldest last."""
    for steps, name in ((30, 'epoch_10.pth'), (33, 'epoch_11.pth'), (35, 'stopped_iter_35.pth'), (27, 'epoch_9.pth')):
        torch.save(dict(state_dict={'w': torch.zeros(8)}, meta=dict(epoch=1, iter=steps)), tmp_path / name)
    assert find_latest_checkpoint(str(tmp_path)) == str(tmp_path / 'stopped_iter_35.pth')


def test_checkpoints_of_nan_are_passed_over(tmp_path: Path):
    for number, value in ((1, 0.0), (2, float('nan'))):
        torch.save(
            dict(state_dict={'w': torch.full((8,), value)}, meta=dict(iter=number)), tmp_path / f'epoch_{number}.pth'
        )
    (tmp_path / 'last_checkpoint').write_text('epoch_2.pth')
    assert find_latest_checkpoint(str(tmp_path)) == str(tmp_path / 'epoch_1.pth')


@pytest.mark.parametrize('own', [True, False])
def test_a_config_in_its_own_work_folder_stays(tmp_path: Path, own: bool):
    path = tmp_path / 'own.py'
    path.write_text('a = 1  # mine\n')
    config = Config.fromfile(path)
    config.dump(path if own else tmp_path / 'other.py')
    assert path.read_text() == 'a = 1  # mine\n'
    assert (tmp_path / 'other.py').exists() != own


def test_nothing_to_resume_from(tmp_path: Path):
    (tmp_path / 'epoch_1.pth').write_bytes(b'torn')
    assert find_latest_checkpoint(str(tmp_path)) is None
