"""Workers of data loaders end with the run that needed them."""

import gc
import multiprocessing
import time
from functools import partial
from types import SimpleNamespace

import mmengine.runner.runner as runner_module
import pytest
import torch.utils.data._utils as data_utils
from mmengine.runner.loops import _InfiniteDataloaderIterator
from torch.utils.data import DataLoader

from sdpose.compat.workers import ending_workers, leave_signals_to_parent


def loader(persistent: bool = True) -> DataLoader:
    """One of a worker that is deaf to SIGTERM, as a runner builds it."""
    leave_signals_to_parent()
    start = partial(runner_module.default_worker_init_fn, num_workers=1, rank=0, seed=0)
    return DataLoader(list(range(8)), num_workers=1, persistent_workers=persistent, worker_init_fn=start)


def working() -> set[multiprocessing.process.BaseProcess]:
    return {child for child in multiprocessing.active_children() if child.daemon}


def ended(workers: set[multiprocessing.process.BaseProcess]) -> bool:
    for worker in workers:
        worker.join(5)
    return not any(worker.is_alive() for worker in workers)


def test_a_loader_that_the_garbage_collector_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_utils, 'MP_STATUS_CHECK_INTERVAL', 0.2)  # what torch waits before its SIGTERM
    before = working()
    holder = SimpleNamespace(loader=loader())
    holder.itself = holder
    assert len(list(holder.loader)) == 8
    mine = working() - before
    assert len(mine) == 1
    del holder
    gc.collect()
    assert ended(mine)


@pytest.mark.parametrize('counts', ['epochs', 'iterations'])
def test_a_run_that_is_over(counts: str) -> None:
    before = working()
    loop = SimpleNamespace(dataloader=loader(persistent=counts == 'epochs'))
    if counts == 'iterations':
        loop.dataloader_iterator = _InfiniteDataloaderIterator(loop.dataloader)
        next(loop.dataloader_iterator)
    else:
        assert len(list(loop.dataloader)) == 8
    mine = working() - before
    assert len(mine) == 1
    begin = time.monotonic()
    with ending_workers(SimpleNamespace(_train_loop=loop, _val_loop=dict(type='ValLoop'), _test_loop=None)):
        pass
    assert ended(mine) and time.monotonic() - begin < data_utils.MP_STATUS_CHECK_INTERVAL  # they were told
