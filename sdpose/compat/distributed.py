"""Distributed runs: several CPU processes over gloo, processes that end with their launcher, and lost ones named."""

import atexit
import ctypes
import gc
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import lru_cache, wraps
from typing import Any

import mmengine.dist.utils as dist_utils
import torch
from mmengine.device import get_device
from mmengine.logging import print_log
from mmengine.model.wrappers import MMDistributedDataParallel
from torch import distributed as torch_dist
from torch import nn

from .workers import kill_workers

_MARK = '_sdpose_compat'
_GIL_GRACE_SECONDS = 0.1
# How long a process waits for the word of others before it calls them lost.
_SECONDS_TO_ANSWER = 5.0
_PR_SET_PDEATHSIG = 1
_PARENT = os.getppid()
# What gloo and NCCL say when another process is gone or silent.
_LOST = re.compile(
    r'gloo/transport|Connection closed by peer|Connection reset by peer|NCCL.*(timeout|remote)|'
    r'Timed out waiting|Broken pipe|Socket Timeout|wait timeout after'
)
_timeout: timedelta | None = None


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
        global _timeout
        _timeout = kwargs.get('timeout')
        _end_with_launcher()
        kwargs.update(_meeting_of_restart())
        atexit.register(_leave_group)
        if get_device() != 'cpu':
            launch(backend, *args, **kwargs)
            return
        if backend == 'nccl':
            print_log('No GPU is seen: the processes talk over gloo instead of nccl.', 'current')
            backend = 'gloo'
        with _no_device_to_select():
            launch(backend, *args, **kwargs)

    return launch_anywhere


def _end_with_launcher() -> None:
    """Let the kernel ask a process of torchrun to end when torchrun is killed.

    Seen: after ``kill -9`` of the launcher its processes train on, and keep the work folder locked.
    """
    if 'TORCHELASTIC_RUN_ID' in os.environ:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != _PARENT:  # killed while this process was starting
            os.kill(os.getpid(), signal.SIGTERM)


def _meeting_of_restart() -> dict[str, Any]:
    """Where processes meet that torchrun has started again, as arguments of ``init_process_group``.

    Seen: with torch 2.12 they meet in the store of the first start, which still holds the addresses of the processes
    that have ended: ``Gloo connectFullMesh failed``.
    """
    env = os.environ
    count = int(env.get('TORCHELASTIC_RESTART_COUNT', 0))
    if not count or env.get('TORCHELASTIC_USE_AGENT_STORE') != 'True':
        return {}
    store = torch_dist.TCPStore(env['MASTER_ADDR'], int(env['MASTER_PORT']), is_master=False)
    return dict(
        store=torch_dist.PrefixStore(f'restart_{count}', store),
        rank=int(env['RANK']),
        world_size=int(env['WORLD_SIZE']),
    )


@lru_cache(maxsize=1)
def _host_group() -> Any:
    """The processes over gloo, beside the backend that moves the tensors of their devices."""
    return torch_dist.new_group(backend='gloo', timeout=_timeout)


def reduce_over_hosts(value: torch.Tensor) -> None:
    """Set a tensor of the CPU to the largest of all processes' values, without waiting for any GPU."""
    torch_dist.all_reduce(value, torch_dist.ReduceOp.MAX, group=_host_group())


def lost_connection(error: BaseException) -> bool:
    """Whether an exception arose because other processes of the run are gone or do not answer."""
    return isinstance(error, RuntimeError) and torch_dist.is_initialized() and bool(_LOST.search(str(error)))


def lost_processes(error: BaseException) -> str:
    """One line about who is lost, for an exception that :func:`lost_connection` knows.

    Each process that meets such an exception leaves a mark at the run's meeting point; who leaves none is lost.
    """
    own, everyone = torch_dist.get_rank(), set(range(torch_dist.get_world_size()))
    silent = sorted(everyone - _answering(own, everyone))
    if not silent:
        return f'rank {own} lost the connection to the others, which still answer: {_first_line(error)}'
    return (
        f'rank {", ".join(map(str, silent))} of {len(everyone)} does not answer (noticed by rank {own}): it failed '
        'or was killed, or it waits or computes for longer than --dist-timeout allows'
    )


def _answering(own: int, everyone: set[int]) -> set[int]:
    """The ranks that have left a mark within a few seconds, this one included."""
    store = torch_dist.PrefixStore('sdpose_lost', torch_dist.distributed_c10d._get_default_store())
    store.set_timeout(timedelta(seconds=_SECONDS_TO_ANSWER))
    found, end = {own}, time.monotonic() + _SECONDS_TO_ANSWER
    try:
        store.set(str(own), 'here')
        while found != everyone and time.monotonic() < end:
            found |= {rank for rank in everyone - found if store.check([str(rank)])}
            time.sleep(0.1)
    except RuntimeError:  # the meeting point is gone with the process that kept it
        return everyone - {0} if own else {own}
    return found


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition('\n')[0][:200]


def _leave_group() -> None:
    """End gloo before Python ends.

    Seen: the threads of gloo need the GIL to release their last work. A process whose work is done is sometimes
    aborted (SIGABRT, "terminate called without an active exception"), because Python is already shutting down, and
    sometimes stays for ever, because the destructor of DistributedDataParallel ends the group, and waits for these
    threads while it holds the GIL. So the last reference is one whose destructor gives the GIL back; where a runner
    holds a further one, the threads get a moment in which the GIL is free.
    """
    kill_workers()  # a loader that a runner still holds would wait for them for seconds
    groups = [group for group in torch_dist.distributed_c10d._world.pg_map if torch_dist.get_backend(group) == 'gloo']
    backends = [group._get_backend(torch.device('cpu')) for group in groups]
    _host_group.cache_clear()
    while groups:  # the first one is the world, with which all end
        torch_dist.destroy_process_group(groups.pop())
    gc.collect()
    backends.clear()
    time.sleep(_GIL_GRACE_SECONDS)


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
