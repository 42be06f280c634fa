"""Two processes over gloo, started by tools/dist_train.sh, train the weights that one process trains."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

# Batch norm sees half of a batch in each process; this takes it out of the comparison.
_FROZEN_NORM = """
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from torch.nn.modules.batchnorm import _BatchNorm


@HOOKS.register_module()
class FrozenNorm(Hook):

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        for module in runner.model.modules():
            if isinstance(module, _BatchNorm):
                module.eval()
"""
_COMMON = [
    '--no-validate',
    '--cfg-options',
    'train_cfg.max_epochs=2',
    'default_hooks.checkpoint.interval=2',
    'train_dataloader.num_workers=0',
    'train_dataloader.persistent_workers=False',
]


def _free_port() -> str:
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return str(probe.getsockname()[1])


def _train(folder: Path, root: Path, env: dict, processes: int, name: str, *options: str) -> dict:
    """Run a training of two epochs and return its weights."""
    arguments = ['tiny.py', '--work-dir', name, *_COMMON, *options]
    command = [sys.executable, str(root / 'tools/train.py'), *arguments]
    if processes > 1:
        command = ['bash', str(root / 'tools/dist_train.sh'), 'tiny.py', str(processes), *arguments[1:]]
    paths = os.pathsep.join([str(folder), env['PYTHONPATH']])
    done = subprocess.run(
        command,
        cwd=folder,
        env={**env, 'PYTHONPATH': paths, 'PORT': _free_port(), 'PYTHON': sys.executable},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert (done.stdout + done.stderr).count('share of the loss, steps 1 to ') == 1
    if processes > 1:
        assert 'over gloo' in done.stdout + done.stderr
    return torch.load(folder / name / 'epoch_2.pth', weights_only=False)['state_dict']


def _largest_difference(first: dict, second: dict) -> float:
    assert first.keys() == second.keys()
    return max((first[key].double() - second[key].double()).abs().max().item() for key in first)


@pytest.mark.long
def test_different_shards_equal_the_doubled_batch(workspace: Path, repo_root: Path, tool_env: dict) -> None:
    (workspace / 'frozen_norm.py').write_text(_FROZEN_NORM)
    with open(workspace / 'tiny.py', 'a') as config:
        config.write(
            "custom_imports = dict(imports=['sdpose', 'frozen_norm'])\ncustom_hooks = [dict(type='FrozenNorm')]\n"
        )
    one = _train(workspace, repo_root, tool_env, 1, 'one', 'train_dataloader.batch_size=4')
    two = _train(workspace, repo_root, tool_env, 2, 'two', 'train_dataloader.batch_size=2')
    assert _largest_difference(one, two) < 1e-5
    # The same comparison sees a difference where there is one: half of the batch is another training.
    half = _train(workspace, repo_root, tool_env, 1, 'half', 'train_dataloader.batch_size=2')
    assert _largest_difference(one, half) > 1e-3


@pytest.mark.long
def test_identical_shards_equal_one_process(workspace: Path, repo_root: Path, tool_env: dict) -> None:
    # Every sample twice in a row: unshuffled, each of the two processes gets every sample once, in order.
    path = workspace / 'data/coco/annotations/person_keypoints_train2017.json'
    content = json.loads(path.read_text())
    single = content['annotations']
    doubled = [dict(ann, id=2 * ann['id'] + copy) for ann in single for copy in range(2)]
    path.with_name('twice.json').write_text(json.dumps(dict(content, annotations=doubled)))
    plain = [
        'train_dataloader.sampler.shuffle=False',
        'train_dataloader.dataset.pipeline.2.prob=0.',
        'train_dataloader.dataset.pipeline.3.prob=-1',
        'train_dataloader.dataset.pipeline.4.shift_prob=0',
        'train_dataloader.dataset.pipeline.4.rotate_prob=0',
        'train_dataloader.dataset.pipeline.4.scale_factor=0',
    ]
    one = _train(workspace, repo_root, tool_env, 1, 'one', *plain)
    two = _train(
        workspace, repo_root, tool_env, 2, 'two', *plain, 'train_dataloader.dataset.ann_file=annotations/twice.json'
    )
    assert _largest_difference(one, two) < 1e-5


@pytest.mark.parametrize('script', ['dist_train.sh', 'dist_test.sh', 'slurm_train.sh', 'slurm_test.sh'])
def test_launch_scripts_say_how_to_call_them(repo_root: Path, script: str) -> None:
    done = subprocess.run(['bash', str(repo_root / 'tools' / script), 'only-one'], capture_output=True, text=True)
    assert done.returncode == 2
    assert f'usage: bash tools/{script}' in done.stderr


def test_slurm_script_asks_for_what_the_environment_says(repo_root: Path, tmp_path: Path) -> None:
    (tmp_path / 'srun').write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (tmp_path / 'srun').chmod(0o755)
    env = {**os.environ, 'PATH': f'{tmp_path}:{os.environ["PATH"]}', 'GPUS': '2', 'SRUN_ARGS': '--time=1 --mem=2G'}
    done = subprocess.run(
        ['bash', str(repo_root / 'tools/slurm_train.sh'), 'part', 'job', 'c.py', 'work', '--amp'],
        capture_output=True,
        text=True,
        env=env,
        check=True,
    )
    words = done.stdout.split('\n')
    assert words[:7] == [
        '-p',
        'part',
        '--job-name=job',
        '--gres=gpu:2',
        '--ntasks=2',
        '--ntasks-per-node=2',
        '--cpus-per-task=5',
    ]
    assert {'--time=1', '--mem=2G', '--kill-on-bad-exit=1'} <= set(words)
    assert words[-7:-1] == ['c.py', '--work-dir', 'work', '--launcher', 'slurm', '--amp']


class Pair:
    """Two processes that train by ``dist_train.sh`` until something happens."""

    def __init__(self, folder: Path, root: Path, env: dict, name: str, *options: str) -> None:
        self.folder, self.log = folder / name, folder / f'{name}.log'
        arguments = [
            'tiny.py',
            '2',
            '--work-dir',
            name,
            *options,
            '--cfg-options',
            'train_cfg.max_epochs=1000',
            'default_hooks.checkpoint.interval=1000',
            'train_dataloader.num_workers=1',
        ]
        with open(self.log, 'w') as log:
            self.launcher = subprocess.Popen(
                ['bash', str(root / 'tools/dist_train.sh'), *arguments],
                cwd=folder,
                env={**env, 'PYTHON': sys.executable},
                stdout=log,
                stderr=log,
            )
        self._until(lambda: self.log.read_text().count('Epoch(train)') > 5)
        (self.torchrun,) = _children(self.launcher.pid)
        ranks = {_environment(pid)['RANK']: pid for pid in _children(self.torchrun)}
        self.ranks = [ranks['0'], ranks['1']]

    @staticmethod
    def _until(condition: Callable[[], bool], seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def end(self) -> tuple[int, str]:
        """Wait until everything has ended; the status and the last line."""
        status = self.launcher.wait(120)
        self._until(lambda: not any(map(_lives, [self.torchrun, *self.ranks])), 30)
        return status, self.log.read_text().splitlines()[-1]


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f'/proc/{pid}/task/{pid}/children').read_text().split()]


def _environment(pid: int) -> dict[str, str]:
    return dict(entry.split('=', 1) for entry in Path(f'/proc/{pid}/environ').read_text().split('\0') if '=' in entry)


def _lives(pid: int) -> bool:
    try:
        return Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()[0] != 'Z'
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_signal_to_the_launcher_saves_the_training(workspace: Path, repo_root: Path, tool_env: dict) -> None:
    pair = Pair(workspace, repo_root, tool_env, 'run')
    pair.launcher.send_signal(signal.SIGTERM)
    status, line = pair.end()
    (saved,) = pair.folder.glob('stopped_iter_*.pth')
    assert (status, line) == (143, f'stopped by SIGTERM; saved as {saved}; --resume goes on from the newest checkpoint')


@pytest.mark.long
@pytest.mark.parametrize('victim', ['launcher', 'torchrun'])
def test_processes_end_with_their_launcher(workspace: Path, repo_root: Path, tool_env: dict, victim: str) -> None:
    pair = Pair(workspace, repo_root, tool_env, 'run')
    os.kill(pair.launcher.pid if victim == 'launcher' else pair.torchrun, signal.SIGKILL)
    pair.end()
    assert len(list(pair.folder.glob('stopped_iter_*.pth'))) == 1


@pytest.mark.long
@pytest.mark.parametrize('harm, options', [(signal.SIGSTOP, ['--dist-timeout', '5']), (signal.SIGKILL, [])])
def test_a_lost_process_is_named(workspace: Path, repo_root: Path, tool_env: dict, harm: int, options: list) -> None:
    pair = Pair(workspace, repo_root, tool_env, 'run', *options)
    os.kill(pair.ranks[1], harm)
    status, line = pair.end()
    assert status == 2 and line.startswith('error: rank 1 of 2 does not answer (noticed by rank 0)')
    assert not list(pair.folder.glob('.*.tmp'))


@pytest.mark.long
def test_processes_are_started_again_and_resume(workspace: Path, repo_root: Path, tool_env: dict) -> None:
    pair = Pair(workspace, repo_root, tool_env, 'run')
    pair.launcher.send_signal(signal.SIGTERM)
    pair.end()
    pair = Pair(workspace, repo_root, tool_env, 'run', '--resume', '--max-restarts', '1')
    os.kill(pair.ranks[0], signal.SIGKILL)
    pair._until(lambda: pair.log.read_text().count('resumed epoch') == 2)
    pair.launcher.send_signal(signal.SIGTERM)
    assert pair.launcher.wait(120) == 143


def test_two_processes_measure_what_one_measures(
    trained: SimpleNamespace, repo_root: Path, tool_env: dict, tmp_path: Path
) -> None:
    script, checkpoint = repo_root / 'tools/dist_test.sh', trained.run / 'epoch_40.pth'
    results = {}
    for processes in ('1', '2'):
        out = tmp_path / f'{processes}.json'
        done = subprocess.run(
            [
                'bash',
                str(script),
                'tiny.py',
                str(checkpoint),
                processes,
                '--work-dir',
                str(tmp_path / processes),
                '--out',
                str(out),
                '--cfg-options',
                'test_dataloader.batch_size=2',
            ],
            cwd=trained.folder,
            env={**tool_env, 'PORT': _free_port(), 'PYTHON': sys.executable},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        record = json.loads(next((tmp_path / processes).glob('*/metrics.json')).read_text())
        results[processes] = record['metrics'], json.loads(out.read_text())
    assert results['1'][0] == pytest.approx(results['2'][0], abs=1e-6)
    assert results['1'][0]['coco/AP'] > 0
    assert len(results['1'][1]) == len(results['2'][1]) == 9 - 1  # one of the nine boxes is a duplicate
    one, two = (sorted((pose['image_id'], pose['score']) for pose in results[processes][1]) for processes in '12')
    assert [image for image, _ in one] == [image for image, _ in two]
    assert [score for _, score in one] == pytest.approx([score for _, score in two], abs=1e-6)
