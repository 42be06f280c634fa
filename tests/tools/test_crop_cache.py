"""The tool that makes a crop cache, and a training from one."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.long  # each starts tools, which takes seconds

_TOOL = 'tools/dataset_tools/build_crop_cache.py'
_CACHED = """
_base_ = './tiny.py'
load = dict(type='LoadCachedCrop', cache='crops')
crop = dict(type='WindowedAffine', input_size=(48, 64))
train_dataloader = dict(num_workers=1, dataset=dict(pipeline=[
    load, _base_.box, dict(type='RandomFlip'), dict(type='RandomHalfBody', prob=0.1),
    dict(type='ClippedNormalBBoxTransform'), crop, dict(type='GenerateTarget', encoder=_base_.small), _base_.pack]))
train_cfg = dict(max_epochs=2, val_interval=2)
"""


def _losses(text: str) -> list[float]:
    return [float(value) for value in re.findall(r'Epoch\(train\).*? loss: ([0-9.]+)', text)]


def test_a_training_from_crops_has_the_losses_of_one_from_pictures(workspace: Path, run_tool: Callable) -> None:
    (workspace / 'cached.py').write_text(_CACHED)
    options = ['--cfg-options', 'train_cfg.max_epochs=2', 'train_cfg.val_interval=2']
    missing = run_tool('tools/train.py', 'cached.py', cwd=workspace)
    assert missing.returncode == 2 and 'error: crops is no crop cache: python tools/dataset_tools' in missing.stderr
    built = run_tool(_TOOL, 'cached.py', '--out', 'crops', '--max-resolution', '0', cwd=workspace, check=True)
    assert re.search(r'crops: 12 people, .* GB\n\Z', built.stdout)  # the config loads from it already
    again = run_tool(_TOOL, 'tiny.py', '--out', 'crops', cwd=workspace, check=True)
    said = "dict(type='LoadCachedCrop', cache='crops')"
    assert again.stdout.endswith(f'in the config: the first step of the training pipeline is {said}\n')
    assert built.stderr.endswith('cutting out people: 12 of 12\n')
    logs = [
        run_tool('tools/train.py', *config, '--work-dir', config[0][:-3], cwd=workspace, check=True)
        for config in (['cached.py'], ['tiny.py', *options])
    ]
    crops, pictures = (_losses(log.stdout + log.stderr) for log in logs)
    assert len(crops) == len(pictures) == 6
    assert crops == pytest.approx(pictures, rel=1e-3)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['--margins', '1.5'], '--margins 1.5: give more than 0, up to 1'),
        (['--quality', '0'], '--quality 0: give 1 to 100'),
        (['--max-resolution', '0.5'], '--max-resolution 0.5: give 0, or 1 and more'),
        (['--max-resolution', 'inf'], '--max-resolution inf: give 0, or 1 and more'),
        (['--workers', '0'], '--workers 0: give at least 1'),
        (['--cfg-options', 'data_root=none/'], 'none/annotations/person_keypoints_train2017.json'),
    ],
)
def test_wrong_options_are_one_line(workspace: Path, run_tool: Callable, options: list[str], message: str) -> None:
    done = run_tool(_TOOL, 'tiny.py', '--out', 'crops', *options, cwd=workspace)
    assert done.returncode == 2 and not done.stdout
    assert re.fullmatch(r'error: [^\n]*\n', done.stderr) and message in done.stderr
    assert not (workspace / 'crops/index.safetensors').exists()


def test_ctrl_c_and_a_kill_leave_what_the_next_build_keeps(workspace: Path, repo_root: Path, tool_env: dict) -> None:
    code = (
        'import sys, time\nfrom sdpose.datasets.crop_cache import build\nbuild._PEOPLE = 1\n'
        'make = build._make_shard\n'
        'build._make_shard = lambda *args: (make(*args), time.sleep(args[-1][0]))[0]\n'
        f'sys.path.insert(0, {str(repo_root / "tools/dataset_tools")!r})\n'
        'import build_crop_cache as tool\nfrom sdpose.apis import cli\n'
        "sys.argv[1:] = ['tiny.py', '--out', 'crops', '--workers', '2']\n"
        "sys.exit(cli.run(lambda: tool.build(tool.parse_args()), '; go on'))\n"
    )
    kept = 0
    for number in (signal.SIGINT, signal.SIGKILL):
        process = subprocess.Popen(
            [sys.executable, '-c', code], cwd=workspace, env=tool_env, stderr=subprocess.PIPE, text=True
        )
        deadline = time.monotonic() + 120
        while len(list((workspace / 'crops').glob('crops-*'))) <= kept and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(number)
        try:
            _, said = process.communicate(timeout=10)
        except subprocess.TimeoutExpired:  # Python drops what a signal raises while it forks a worker
            process.send_signal(number)
            _, said = process.communicate(timeout=60)
        assert process.returncode == {signal.SIGINT: 130, signal.SIGKILL: -9}[number], said
        assert number == signal.SIGKILL or said.endswith('stopped; go on\n')
        shards = sorted((workspace / 'crops').glob('crops-*'))
        kept = len(shards)
        assert 1 <= kept < 12 and not (workspace / 'crops/index.safetensors').exists()
