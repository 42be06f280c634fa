"""Interrupt a training at many moments and resume it; run as a program: ``kills.py FOLDER [--count N] [--seed S]``.

The parent imports everything once and forks a process for each start. A reference training is never interrupted; it
also counts its moments: before and after each file that is written, renamed or removed in its work folder, each step of
training and each step of validation. Every trial is a training that is interrupted at a few of these moments, in
different ways, and resumed until it ends. In the end its weights, optimizer and best checkpoint must be the
reference's, to the last bit.
"""

import argparse
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, wraps
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.runner import EpochBasedTrainLoop, Runner, ValLoop

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from stick_people import CONFIG, write_coco  # noqa: E402

import sdpose.io.atomic as fileio  # noqa: E402
from sdpose import train  # noqa: E402
from sdpose.apis import cli  # noqa: E402

_ROOT = Path(__file__).resolve().parents[2]
# Twelve epochs of three steps. Odd epochs have a validation and no checkpoint of their own.
_OPTIONS = {
    'train_cfg.max_epochs': 12,
    'train_cfg.val_interval': 1,
    'default_hooks.checkpoint.interval': 2,
    'default_hooks.checkpoint.save_best': 'EPE',
    'default_hooks.checkpoint.rule': 'less',
    'val_evaluator': dict(type='EPE'),
    'optim_wrapper.optimizer.lr': 5e-3,
    'custom_hooks': [dict(type='EMAHook', momentum=0.1)],
    'default_hooks.logger.interval': 100,
    'train_dataloader.persistent_workers': False,
}
_KILL, _TERM, _HUP, _GROUP = 'kill -9', 'SIGTERM', 'SIGHUP', 'SIGTERM to the group'
_STATUS = {_TERM: 128 + signal.SIGTERM, _HUP: 128 + signal.SIGHUP, _GROUP: 128 + signal.SIGTERM}


@dataclass
class Interruption:
    """When and how a start is interrupted: at its n-th moment."""

    moment: int
    way: str


class Moments:
    """Counts the moments of a training and interrupts it at one of them."""

    def __init__(self, log: int, interruption: Interruption | None) -> None:
        self.log = log
        self.interruption = interruption
        self.count = 0

    def pass_by(self, what: str) -> None:
        """Note a moment, and interrupt there if it is the one."""
        self.count += 1
        os.write(self.log, f'{what}\n'.encode())
        if self.interruption and self.count == self.interruption.moment:
            way = self.interruption.way
            number = dict([(_KILL, signal.SIGKILL), (_HUP, signal.SIGHUP)]).get(way, signal.SIGTERM)
            os.killpg(os.getpgid(0), number) if way == _GROUP else os.kill(os.getpid(), number)

    def watch(self, owner: Any, name: str, label: Callable[..., str | None]) -> None:
        """Let each call of a function be two moments, before and after."""
        original = getattr(owner, name)

        @wraps(original)
        def watched(*args: Any, **kwargs: Any) -> Any:
            what = label(*args, **kwargs)
            if what:
                self.pass_by(f'before {what}')
            result = original(*args, **kwargs)
            if what:
                self.pass_by(f'after {what}')
            return result

        setattr(owner, name, watched)

    def install(self) -> None:
        """Watch the files and the steps."""
        self.watch(os, 'replace', lambda source, target: f'rename to {Path(target).name}')
        self.watch(os, 'remove', lambda path: f'removal of {Path(path).name}')
        self.watch(Path, 'unlink', lambda path, **kwargs: f'removal of {path.name}' if path.suffix == '.pth' else None)
        self.watch(fileio.os, 'fsync', lambda descriptor: 'flush')
        self.watch(EpochBasedTrainLoop, 'run_iter', lambda *args: 'step')
        self.watch(ValLoop, 'run_iter', lambda *args: 'validation step')


def start(folder: Path, work_dir: str, workers: int, interruption: Interruption | None) -> tuple[int, list[str]]:
    """Train in a process of its own, resuming what is there; its status and the moments it passed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.setpgid(0, 0)
        log = os.open(folder / f'{work_dir}.log', os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1), os.dup2(log, 2)
        os.chdir(folder)
        Moments(writing, interruption).install()
        options = {**_OPTIONS, 'train_dataloader.num_workers': workers}
        status = cli.run(partial(train, 'tiny.py', work_dir=work_dir, resume='auto', gt_bbox=True, cfg_options=options))
        sys.stdout.flush()
        os._exit(status)
    os.close(writing)
    content = b''
    while chunk := os.read(reading, 65536):
        content += chunk
    os.close(reading)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), content.decode().splitlines()


def result(work_dir: Path) -> dict[str, Any]:
    """What counts of a finished training: its last and best checkpoints and what lies about."""
    best = sorted(path.name for path in work_dir.glob('best_*'))
    return dict(
        best=best,
        best_weights=_tensors(work_dir / best[0]) if best else None,
        last=_tensors(work_dir / 'epoch_12.pth'),
        torn=sorted(path.name for path in work_dir.glob('.*.tmp')),
        stopped=sorted(path.name for path in work_dir.glob('stopped_*')),
        validations=json.loads((work_dir / 'validations.json').read_text())['validations'],
    )


def _tensors(path: Path) -> dict[str, torch.Tensor]:
    loaded = torch.load(path, weights_only=False)  # our own
    found = dict(loaded['state_dict'])
    found.update({f'ema.{key}': value for key, value in loaded.get('ema_state_dict', {}).items()})
    for number, state in loaded.get('optimizer', {}).get('state', {}).items():
        found.update({f'optimizer.{number}.{key}': torch.as_tensor(value) for key, value in state.items()})
    return found


def differences(found: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """In what a trial's result is not the reference's."""
    said = [
        f'{key}: {found[key]}, not {wanted[key]}'
        for key in ('best', 'torn', 'stopped', 'validations')
        if found[key] != wanted[key]
    ]
    for key in ('last', 'best_weights'):
        same = (
            found[key]
            and found[key].keys() == wanted[key].keys()
            and all(torch.equal(value, wanted[key][name]) for name, value in found[key].items())
        )
        if not same:
            said.append(f'{key}: other numbers')
    return said


def plan(count: int, moments: int, seed: int) -> list[list[Interruption]]:
    """Trials of one to three interruptions; the moments of the first cover the whole training evenly."""
    chance = random.Random(seed)
    trials, left = [], count
    while left > 0:
        number = min(left, chance.choice([1, 1, 2, 3]))
        trials.append(
            [
                Interruption(
                    chance.randrange(1, moments // number + 1), chance.choice([_KILL, _KILL, _TERM, _HUP, _GROUP])
                )
                for _ in range(number)
            ]
        )
        left -= number
    for number, trial in enumerate(trials):
        trial[0].moment = 1 + (number * moments + chance.randrange(moments)) // len(trials) % moments
    return trials


def run_trial(folder: Path, number: int, trial: list[Interruption], wanted: dict[str, Any]) -> dict[str, Any]:
    """Interrupt, resume to the end, compare."""
    work_dir, met, faults = f'trial{number}', [], []
    for interruption in trial:
        status, passed = start(folder, work_dir, number % 2 * 2, interruption)
        if len(passed) < interruption.moment:
            break  # it came to its end before
        met.append(f'{interruption.way} {passed[interruption.moment - 1]}')
        expected = _STATUS.get(interruption.way, -signal.SIGKILL)
        if status != expected and not (status == 0 and expected > 0):  # nothing was left to interrupt
            faults.append(f'{interruption.way}: status {status}')
    status, _ = start(folder, work_dir, number % 2 * 2, None)
    faults += [f'the last start: status {status}'] if status else differences(result(folder / work_dir), wanted)
    return dict(trial=number, interruptions=met, faults=faults)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('folder', type=Path)
    parser.add_argument('--count', type=int, default=120, help='interruptions in all (default: %(default)s)')
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    args.folder.mkdir(parents=True)
    write_coco(args.folder / 'data')
    (args.folder / 'tiny.py').write_text(CONFIG.format(root=_ROOT))
    # What takes most of a short run and plays no part: the config's layout, and the list of the machine's versions.
    Config.pretty_text = property(lambda self: repr(self.to_dict()))
    Runner._log_env = lambda self, env_cfg: None
    begin = time.monotonic()
    status, passed = start(args.folder, 'reference', 0, None)
    if status:
        print((args.folder / 'reference.log').read_text()[-3000:])
        return 1
    wanted = result(args.folder / 'reference')
    found = []
    for number, trial in enumerate(plan(args.count, len(passed), args.seed)):
        found.append(run_trial(args.folder, number, trial, wanted))
        print(json.dumps(found[-1]), flush=True)
    done = sum(len(each['interruptions']) for each in found)
    bad = sum(bool(each['faults']) for each in found)
    print(
        f'{len(passed)} moments, {done} interruptions in {len(found)} trainings, {bad} of them with faults, best '
        f'checkpoint {wanted["best"][0]} ({time.monotonic() - begin:.0f} s)'
    )
    return int(bad > 0)


if __name__ == '__main__':
    sys.exit(main())
