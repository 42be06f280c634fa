"""Options of the training step that this machine, or this model, cannot do."""

import logging
import os
import shutil
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.logging import print_log

from sdpose.errors import ConfigError

_COMPILERS = ('c++', 'g++', 'clang++')


def check_step_options(cfg: Config, splits: Sequence[str]) -> None:
    """Check ``torch.compile``, SyncBN, the precision of a teacher and Adam's fused step.

    Raises:
        ConfigError: Naming the key and what to do instead.
    """
    if 'train' not in splits:
        return
    model = cfg.get('model') or {}
    if (model.get('neck') or {}).get('compile_cycles'):
        _check_compiler('model.neck.compile_cycles')
    if cfg.get('compile'):
        _check_compiler('compile')
    _check_sync_bn(cfg)
    precision = (model.get('distiller') or {}).get('teacher_precision')
    if precision == 'float16' and get_device() == 'cpu':
        raise ConfigError(
            "model.distiller.teacher_precision is 'float16', which a CPU computes slower than float32: take "
            "'bfloat16', or leave it out"
        )
    for where, optimizer in _optimizers(cfg):
        if optimizer.get('fused') and optimizer.get('foreach'):
            raise ConfigError(f'{where}.fused and {where}.foreach are two ways of the same step: set one of them')


def _check_compiler(key: str) -> None:
    """Refuse ``torch.compile`` where it would fail in the first step, with a page of traceback."""
    if get_device() == 'cpu':
        named = os.environ.get('CXX')
        if not any(map(shutil.which, [named] if named else _COMPILERS)):
            raise ConfigError(
                f'{key} needs a C++ compiler, and {named or "none"} is not found: install g++ (or name one in the '
                f'environment, CXX=...), or set {key}=False'
            )
    elif torch.cuda.is_available() and (find_spec('triton') is None or torch.cuda.get_device_capability() < (7, 0)):
        raise ConfigError(
            f'{key} needs triton and a GPU of compute capability 7.0 or more: install triton, or set {key}=False'
        )


def _check_sync_bn(cfg: Config) -> None:
    kind = cfg.get('sync_bn')
    if kind is None:
        return
    if kind not in ('torch', 'mmcv'):
        raise ConfigError(f"sync_bn is {kind!r}: it must be 'torch' or 'mmcv', or None for batch norms of each process")
    if cfg.get('launcher', 'none') == 'none':
        print_log('sync_bn: one process has nothing to synchronize, batch norms are as ever', 'current')
    elif get_device() == 'cpu':
        raise ConfigError(f'sync_bn={kind!r} needs GPUs, and none is seen: set sync_bn=None, the default, on CPUs')


def _optimizers(cfg: Config) -> list[tuple[str, dict[str, Any]]]:
    wrapper = cfg.get('optim_wrapper') or {}
    parts = {f'optim_wrapper.{name}': part for name, part in wrapper.items() if isinstance(part, dict)}
    found = {where: part for where, part in parts.items() if where == 'optim_wrapper.optimizer'}
    found |= {f'{where}.optimizer': part['optimizer'] for where, part in parts.items() if 'optimizer' in part}
    return list(found.items())


def warn_of_accumulation(counts: int, batches: int) -> None:
    """Say so where updates of several batches do not end with the epoch.

    Args:
        counts: Batches of an update.
        batches: Batches of an epoch.
    """
    if counts > 1 and batches % counts:
        fitting = [number for number in range(2, batches + 1) if batches % number == 0]
        near = sorted(sorted(fitting, key=lambda number: abs(number - counts))[:3])
        print_log(
            f'optim_wrapper.accumulative_counts={counts} does not divide the {batches} batches of an epoch: an update '
            'takes batches of two epochs, and a training that is resumed in between has lost those of the first; '
            f'{", ".join(map(str, near))} would, or another train_dataloader.batch_size',
            'current',
            logging.WARNING,
        )
