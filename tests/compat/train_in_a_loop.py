"""Train and save every step until killed; run as a program by the kill test.

The parent imports everything once and forks a training process per round, kills it while it saves, in every
other round at a random moment and in the rest as soon as a half-written file is seen, and prints one line of
JSON per round: what the child confirmed as saved and what is found on disk.
"""

import json
import logging
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmengine.runner.checkpoint import CheckpointLoader, find_latest_checkpoint

from sdpose import compat

compat.apply()  # no MMPose is imported here

WEIGHTS = 1_000_000


class Model(BaseModel):
    """A few megabytes, so that a kill can hit the write."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(WEIGHTS))

    def forward(self, *inputs: torch.Tensor, mode: str) -> dict:
        return {'loss': self.weight[:8].mean()}


class Confirm(Hook):
    """Tell the parent which step is on disk."""

    priority = 'LOWEST'

    def __init__(self, pipe: int) -> None:
        self.pipe = pipe

    def after_train_iter(self, runner: Runner, *args: object, **kwargs: object) -> None:
        os.write(self.pipe, f'{runner.iter + 1}\n'.encode())


def train(work_dir: str, pipe: int) -> None:
    """Resume and save every step, keeping a single checkpoint, until killed."""
    loader = dict(dataset=[0.0] * 4, batch_size=1, num_workers=0, sampler=dict(type='InfiniteSampler'))
    Runner._log_env = lambda self, env_cfg: None  # asks the compiler for its version, which takes half a second
    runner = Runner(
        Model(),
        work_dir,
        train_dataloader=loader,
        train_cfg=dict(by_epoch=False, max_iters=10**6),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        resume=True,
        log_level=logging.ERROR,
        default_hooks=dict(checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=1, max_keep_ckpts=1)),
        custom_hooks=[Confirm(pipe)],
        experiment_name=f'kill_{os.getpid()}',
    )
    runner.train()


def one_round(work_dir: str, wait: Callable[[Path], None]) -> dict:
    """Fork, let it save at least once, kill it after a wait, and look at what is on disk."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        train(work_dir, writing)
    os.close(writing)
    confirmed = os.read(reading, 64)
    wait(Path(work_dir))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while chunk := os.read(reading, 4096):
        confirmed += chunk
    os.close(reading)
    latest = find_latest_checkpoint(work_dir)
    return dict(
        confirmed=int(confirmed.split()[-1]),
        latest=step_of(latest),
        listed=[step_of(str(file)) for file in Path(work_dir).glob('*.pth')],
        torn=len(list(Path(work_dir).glob('.*.tmp'))),
    )


def wait_for_a_write(folder: Path) -> None:
    """Return while a checkpoint is being written: the moment that chance may miss on a fast disk."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for file in folder.glob('.*.pth~*.tmp'):
            try:
                if file.stat().st_size > 0:
                    return
            except FileNotFoundError:  # complete and renamed in between
                continue


def step_of(checkpoint: str) -> int:
    """Load all of a checkpoint; the step in it."""
    loaded = CheckpointLoader.load_checkpoint(checkpoint, 'cpu', logger='silent')
    assert loaded['state_dict']['weight'].numel() == WEIGHTS and 'optimizer' in loaded
    return loaded['meta']['iter']


def main(arguments: list[str]) -> None:
    """``train_in_a_loop.py WORK_DIR ROUNDS SEED``"""
    work_dir, rounds, seed = arguments[0], int(arguments[1]), int(arguments[2])
    chance = random.Random(seed)
    waits = [lambda folder: time.sleep(chance.uniform(0, 0.06)), wait_for_a_write]
    for number in range(rounds):
        print(json.dumps(one_round(work_dir, waits[number % 2])), flush=True)


if __name__ == '__main__':
    main(sys.argv[1:])
