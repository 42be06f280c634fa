"""Several processes without a GPU."""

import json
from pathlib import Path

import pytest

from sdpose.compat import distributed


@pytest.mark.parametrize('wrapper', ['default', 'configured'])
@pytest.mark.long
def test_two_processes_train_over_gloo(run_tool, repo_root: Path, tmp_path: Path, wrapper: str):
    """MMEngine's default, nccl, becomes gloo; gradients are averaged over both processes."""
    done = run_tool(
        '-m',
        'torch.distributed.run',
        '--nproc_per_node=2',
        '--master_port=0',
        '--rdzv_backend=c10d',
        '--rdzv_endpoint=localhost:0',
        repo_root / 'tests/compat/two_processes.py',
        tmp_path,
        wrapper,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    ranks = sorted(
        (json.loads(line) for line in done.stdout.splitlines() if line.startswith('{')), key=lambda said: said['rank']
    )
    assert [said['rank'] for said in ranks] == [0, 1]
    for said in ranks:
        assert said['world'] == 2 and said['backend'] == 'gloo' and said['device_ids'] is None
        assert said['total'] == 3
        # Sums of 0, 2, 4 and of 1, 3, 5, or, where each step begins with the first one's buffer, 2 + 5: the model's and
        # that of its average are the mean of both processes.
        assert said['seen'] == [7.5 if wrapper == 'default' else 6.5] * 2
        assert said['not_finite'].startswith('2 of 2 images have scores that are NaN')
        assert said['weight'] == pytest.approx(1 - 0.125 * (0.5 + 2.5 + 4.5), abs=1e-6)
    assert 'talk over gloo instead of nccl' in done.stdout + done.stderr


_LEAVE = """
import gc
import sys
import torch
from torch import distributed
from sdpose.compat.distributed import _leave_group
gc.freeze()
sys.setswitchinterval(100)  # a thread that wants the GIL gets it only where it is given back
for _ in range(60):
    distributed.init_process_group('gloo', store=distributed.HashStore(), rank=0, world_size=1)
    model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(2, 1))
    model(torch.ones(1, 2)).sum().backward()
    model.itself = [model]  # it lives until the collector finds it, as a runner's
    del model
    distributed.all_reduce(torch.ones(1))
    _leave_group()
    assert not distributed.is_initialized()
"""


def test_leaving_does_not_wait_for_a_thread_that_waits_for_it(run_tool):
    """Seen: processes whose training was done stayed for ever, on a loaded machine one of thirty."""
    run_tool('-c', _LEAVE, timeout=120, check=True)


def test_an_accelerator_keeps_the_original_launcher(monkeypatch: pytest.MonkeyPatch):
    seen = []
    launch = distributed._on_cpu_over_gloo(lambda backend, **kwargs: seen.append((backend, kwargs)))
    monkeypatch.setattr(distributed, 'get_device', lambda: 'cuda')
    launch('nccl', timeout=3)
    monkeypatch.setattr(distributed, 'get_device', lambda: 'cpu')
    launch('nccl', timeout=3)
    launch('mpi')
    assert seen == [('nccl', {'timeout': 3}), ('gloo', {'timeout': 3}), ('mpi', {})]


def test_selecting_a_device_is_skipped_only_while_launching(monkeypatch: pytest.MonkeyPatch):
    import torch

    asked = []
    monkeypatch.setattr(torch.cuda, 'set_device', asked.append)
    monkeypatch.setattr(distributed, 'get_device', lambda: 'cpu')
    distributed._on_cpu_over_gloo(lambda backend: torch.cuda.set_device(0))('nccl')
    assert asked == []
    torch.cuda.set_device(1)
    assert asked == [1]
