"""Distributed runs of several CPU processes over gloo."""

import atexit
import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import mmengine.dist.utils as dist_utils
import torch
from mmengine.device import get_device
from mmengine.logging import print_log
from mmengine.model.wrappers import MMDistributedDataParallel
from torch import distributed as torch_dist
from torch import nn

_MARK = '_sdpose_compat'
_SECONDS_TO_LET_GO = 0.1


def run_without_gpu() -> None:
    """Let the launchers ``pytorch`` and ``slurm`` start processes on a machine without a GPU.

    Seen: MMEngine 0.10.7 selects a CUDA device before it sets up any backend, and gives
    DistributedDataParallel a device id, which torch refuses for a model on the CPU. With a GPU or another
    accelerator nothing changes.
    """
    if hasattr(dist_utils, _MARK):
        return
    for name in ('_init_dist_pytorch', '_init_dist_slurm', '_init_dist_mpi'):
        setattr(dist_utils, name, _on_cpu_over_gloo(getattr(dist_utils, name)))
    MMDistributedDataParallel.__init__ = _without_device_ids(MMDistributedDataParallel.__init__)
    setattr(dist_utils, _MARK, True)


def _on_cpu_over_gloo(launch: Callable) -> Callable:

    @wraps(launch)
    def launch_anywhere(backend: str, *args: Any, **kwargs: Any) -> None:
        if get_device() != 'cpu':
            launch(backend, *args, **kwargs)
            return
        if backend == 'nccl':
            print_log('No GPU is seen: the processes talk over gloo instead of nccl.', 'current')
            backend = 'gloo'
        with _no_device_to_select():
            launch(backend, *args, **kwargs)
        atexit.register(_leave_group)

    return launch_anywhere


def _leave_group() -> None:
    """End gloo before Python ends.

    Seen: a process whose work is done is sometimes aborted (SIGABRT, "terminate called without an active
    exception"), because a gloo thread asks for the interpreter's lock, to let go of the last reduced tensor,
    while Python is already shutting down. The threads end with the last reference to their group, which a
    runner may still hold, so they also get a moment in which the lock is free.
    """
    if torch_dist.is_available() and torch_dist.is_initialized():
        torch_dist.destroy_process_group()
    gc.collect()
    time.sleep(_SECONDS_TO_LET_GO)


@contextmanager
def _no_device_to_select() -> Iterator[None]:
    """Let ``torch.cuda.set_device`` do nothing while a launcher runs."""
    original = torch.cuda.set_device
    torch.cuda.set_device = lambda device: None
    try:
        yield
    finally:
        torch.cuda.set_device = original


def _without_device_ids(construct: Callable) -> Callable:

    @wraps(construct)
    def construct_anywhere(self: nn.Module, module: nn.Module, *args: Any, **kwargs: Any) -> None:
        if all(parameter.device.type == 'cpu' for parameter in module.parameters()):
            kwargs['device_ids'] = None
        construct(self, module, *args, **kwargs)

    return construct_anywhere
