"""Mixed precision as the machine has it: what ``--amp``, and a config's ``AmpOptimWrapper`` and ``fp16``, lead to."""

from typing import Any

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.logging import print_log
from mmengine.optim import AmpOptimWrapper
from mmpose.registry import OPTIM_WRAPPERS

from sdpose.config.nodes import resolve_type
from sdpose.errors import ConfigError

# What AmpOptimWrapper takes beside OptimWrapper's arguments.
_OF_AMP = ('loss_scale', 'dtype', 'use_fsdp')
_LINE = 'no GPU is seen, {} in float32'


def set_training_precision(cfg: Config, amp: bool = False) -> None:
    """Switch a training to mixed precision, or from it, where there is no GPU.

    On a CPU it is bfloat16 if ``optim_wrapper.dtype='bfloat16'`` asks for it, else float32; either is said in one line.

    Args:
        cfg: The config.
        amp: Whether the user asked for it, beside what the config says.

    Raises:
        ConfigError: If the config's optimizer wrapper is a special one, or its ``dtype`` is none.
    """
    wrapper = cfg.get('optim_wrapper') or {}
    parts = [part for part in wrapper.values() if isinstance(part, dict) and 'optimizer' in part]
    for part in parts or [wrapper]:
        kind = resolve_type(part, OPTIM_WRAPPERS) if part.get('type') else None
        is_amp = kind is not None and issubclass(kind, AmpOptimWrapper)
        if not (amp or is_amp):
            continue
        source = '--amp' if amp else f'optim_wrapper.type={part["type"]}'
        dtype = str(part.get('dtype') or 'float16').removeprefix('torch.')
        if dtype not in AmpOptimWrapper.valid_dtypes:
            raise ConfigError(f'optim_wrapper.dtype is {dtype!r}, but one of {", ".join(AmpOptimWrapper.valid_dtypes)}')
        if get_device() == 'cpu':
            _use_cpu(part, dtype, source)
        elif amp:
            _use_amp(part, kind)
        if get_device() != 'cpu' and dtype == 'bfloat16':
            # It has float32's range: a scaler would only have the host wait for the gradients in every step.
            part.setdefault('loss_scale', dict(enabled=False))
    set_evaluation_precision(cfg, 'val')


def set_evaluation_precision(cfg: Config, split: str) -> None:
    """Evaluate in float32 where ``fp16=True`` of a loop asks for half precision, and there is no GPU; said in a line.

    Args:
        cfg: The config.
        split: ``'val'`` or ``'test'``.
    """
    loop = cfg.get(f'{split}_cfg') or {}
    if loop.get('fp16') and get_device() == 'cpu':
        loop['fp16'] = False
        print_log(f'{split}_cfg.fp16: {_LINE.format("evaluating")}', 'current')


def _use_cpu(part: dict[str, Any], dtype: str, source: str) -> None:
    for key in _OF_AMP:
        part.pop(key, None)
    in_half = dtype == 'bfloat16'
    part['type'] = 'CpuAmpOptimWrapper' if in_half else 'OptimWrapper'
    line = _LINE.format('training') + "; optim_wrapper.dtype='bfloat16' trains in mixed precision on a CPU"
    if in_half:
        line = 'no GPU is seen, mixed precision in bfloat16 on the CPU'
    print_log(f'{source}: {line}', 'current')


def _use_amp(part: dict[str, Any], kind: type | None) -> None:
    name = part.get('type', 'OptimWrapper')
    if name != 'OptimWrapper' and (kind is None or not issubclass(kind, AmpOptimWrapper)):
        raise ConfigError(f'--amp replaces OptimWrapper, but optim_wrapper.type is {name}')
    if name == 'OptimWrapper':
        part['type'] = 'AmpOptimWrapper'
    if str(part.get('dtype')).removeprefix('torch.') != 'bfloat16':
        part.setdefault('loss_scale', 'dynamic')
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else get_device()
    print_log(f'--amp: mixed precision in {part.get("dtype") or "float16"} on {device}', 'current')
