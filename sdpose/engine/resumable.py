"""Whether a checkpoint is one that the runner at hand can resume from."""

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mmengine.runner import Runner
from torch import Tensor
from torch.optim import Optimizer

from sdpose.compat.saving import find_latest_checkpoint
from sdpose.errors import CheckpointError, UserError
from sdpose.io.checkpoint import meta_of

# Momenta, which have the shape of their parameter.
_LIKE_THE_PARAMETER = ('momentum_buffer', 'exp_avg', 'exp_avg_sq', 'max_exp_avg_sq')
_MESSAGES = ('log_scalars', 'runtime_info', 'resumed_keys')


def require_resumable(runner: Runner, checkpoint: dict, source: str) -> None:
    """Raise unless a checkpoint holds all that resuming reads, in the form in which it is read.

    Args:
        runner: The runner, with its optimizer built.
        checkpoint: The checkpoint, whose weights fit the model.
        source: Its file.

    Raises:
        UserError: If it holds weights alone; what to take instead is named.
        CheckpointError: If an entry is damaged.
    """
    meta = meta_of(checkpoint)
    lacking = [
        name
        for name, there in (
            ('optimizer', 'optimizer' in checkpoint),
            ('epoch', 'epoch' in meta),
            ('iter', 'iter' in meta),
            ('message_hub', 'message_hub' in checkpoint),
        )
        if not there
    ]
    if lacking:
        raise UserError(
            f'{source} holds weights, not a training to resume (it has no {", ".join(lacking)}): start a '
            f'new one from it with --cfg-options load_from={source}{_newest_beside(source)}'
        )
    for name, fault_of in _CHECKS.items():
        fault = fault_of(runner, checkpoint) if name in checkpoint else None
        if fault is not None:
            raise CheckpointError(
                f'{source} cannot be resumed from: its {name} entry is of another training, or '
                f'damaged ({fault}): take another checkpoint{_newest_beside(source)}'
            )


def _newest_beside(source: str) -> str:
    """The end of a sentence that names the newest whole checkpoint in the file's folder, if it is another one."""
    folder = Path(source).expanduser().parent
    newest = find_latest_checkpoint(str(folder)) if folder.is_dir() else None
    if newest is None or Path(newest).resolve() == Path(source).expanduser().resolve():
        return ''
    return f', or resume from {newest}'


def _fault_of_messages(runner: Runner, checkpoint: dict) -> str | None:
    hub = checkpoint['message_hub']
    lacking = [key for key in _MESSAGES if not isinstance(hub, Mapping) or not isinstance(hub.get(key), Mapping)]
    if lacking:
        return f'no {", ".join(lacking)}'
    kept = hub['runtime_info'].get('keep_ckpt_ids', [])
    is_list = isinstance(kept, list) and all(type(each) is int for each in kept)
    return None if is_list else f'keep_ckpt_ids is {kept!r:.60}'


def _fault_of_average(runner: Runner, checkpoint: dict) -> str | None:
    """Averaged weights: each belongs to a weight of the model, by name and shape."""
    average, weights = checkpoint['ema_state_dict'], checkpoint['state_dict']
    if not isinstance(average, Mapping) or not all(isinstance(value, Tensor) for value in average.values()):
        return 'no weights'
    for key, value in average.items():
        own = weights.get(key.removeprefix('module.'))
        if key.startswith('module.') and (own is None or own.shape != value.shape):
            return f'{key} is no average of a weight'
    return None


def _fault_of_optimizer(runner: Runner, checkpoint: dict) -> str | None:
    """Let the optimizer read its state, as it will once more, and compare what is stored with the parameters."""
    runner.optim_wrapper = wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    optimizers = [each.optimizer for each in getattr(wrapper, 'optim_wrappers', {'': wrapper}).values()]
    settings = [[dict(group) for group in optimizer.param_groups] for optimizer in optimizers]
    try:
        wrapper.load_state_dict(copy.copy(checkpoint['optimizer']))
    except Exception as error:  # whatever a state of any content makes of any optimizer
        return str(error).partition('\n')[0] or type(error).__name__
    faults = (_fault_of_state(*pair) for pair in zip(optimizers, settings))
    return next(filter(None, faults), None)


def _fault_of_state(optimizer: Optimizer, settings: list[dict]) -> str | None:
    for own, read in zip(settings, optimizer.param_groups):
        odd = [key for key, value in own.items() if key != 'params' and not _is_alike(value, read.get(key))]
        if odd:
            return f'{odd[0]} is {read.get(odd[0])!r:.60}'
    for parameter, state in optimizer.state.items():
        if not isinstance(state, Mapping) or not isinstance(state.get('step', 0), (int, float, Tensor)):
            return 'no steps'
        for key in _LIKE_THE_PARAMETER:
            value = state.get(key)
            if value is not None and getattr(value, 'shape', None) != parameter.shape:
                return f'{key} of a parameter has another shape'
            if value is not None and not value.isfinite().all():
                return f'{key} of a parameter is NaN or infinite'
    return None


def _fault_of_schedulers(runner: Runner, checkpoint: dict) -> str | None:
    """Schedulers, whose attributes MMEngine overwrites with whatever is stored."""
    if runner.param_schedulers is None:
        return None
    runner.param_schedulers = own = runner.build_param_scheduler(runner.param_schedulers)
    stored = checkpoint['param_schedulers']
    if not isinstance(own, dict):
        own, stored = {'': own}, {'': stored}
    for name, schedulers in own.items():
        states = stored.get(name) if isinstance(stored, Mapping) else None
        if not isinstance(states, list) or any(map(_is_odd_scheduler, schedulers, states)):
            return 'not the states of the schedulers'
    return None


def _is_odd_scheduler(scheduler: Any, state: Any) -> bool:
    if not isinstance(state, dict) or not all(isinstance(key, str) for key in state):
        return True
    own = scheduler.state_dict()
    return any(
        callable(getattr(scheduler, key, None)) or (key in own and not _is_alike(own[key], value))
        for key, value in state.items()
    )


def _is_alike(own: Any, stored: Any) -> bool:
    """Whether both are numbers, or of one type; what is not set may be anything."""
    numbers = (int, float, Tensor)
    return (
        own is None
        or stored is None
        or type(own) is type(stored)
        or (isinstance(own, numbers) and isinstance(stored, numbers))
    )


_CHECKS: dict[str, Callable[[Runner, dict], str | None]] = {
    'message_hub': _fault_of_messages,
    'ema_state_dict': _fault_of_average,
    'optimizer': _fault_of_optimizer,
    'param_schedulers': _fault_of_schedulers,
}
