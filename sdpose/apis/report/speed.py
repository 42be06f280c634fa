"""How fast a test was, from what its runner has measured of every batch."""

from typing import Any

import torch
from mmengine.runner import Runner


def speed_of(runner: Runner) -> dict[str, Any]:
    """The speed of the test that a runner has done.

    Args:
        runner: After ``test``; MMEngine's ``IterTimerHook`` has timed its batches.

    Returns:
        ``samples`` of this process, ``seconds`` of its batches, ``waiting``, those of them until the data were there,
        ``batch``, the size of a full one, and ``device``, in words; nothing if no batch was timed.
    """
    hub = runner.message_hub
    if 'test/time' not in hub.log_scalars:
        return {}
    seconds, waiting = (float(sum(hub.get_scalar(f'test/{name}').data[0])) for name in ('time', 'data_time'))
    loader: Any = runner.test_dataloader
    return {
        'samples': len(loader.sampler),
        'seconds': seconds,
        'waiting': waiting,
        'batch': loader.batch_size,
        'device': _device(next(runner.model.parameters(), None)),
    }


def _device(weight: torch.Tensor | None) -> str:
    """Where a model is whose weight this is, in words; an exported file, which has none, runs on the CPU."""
    device = torch.device('cpu') if weight is None else weight.device
    if device.type == 'cuda':
        return torch.cuda.get_device_name(device)
    return f'a CPU, {torch.get_num_threads()} thread(s)'


def say_speed(speed: dict[str, Any]) -> str:
    """A sentence about a speed; empty for none."""
    if not speed or speed['seconds'] <= 0:
        return ''
    rate, each = speed['samples'] / speed['seconds'], 1e3 / speed['samples']
    return (
        f'{rate:.1f} samples a second on {speed["device"]}: {each * speed["seconds"]:.1f} ms each in batches of '
        f'{speed["batch"]}, flip test and decoding included, of which {each * speed["waiting"]:.1f} waiting for data'
    )
