"""Models by the name of their config."""

from fnmatch import fnmatch
from typing import Any

import mmpose.apis
import torch
from torch import nn

from sdpose.config.find import config_dir
from sdpose.config.load import load_config
from sdpose.errors import UserError
from sdpose.io.checkpoint import check_checkpoint_path


def list_models(pattern: str = '*') -> list[str]:
    """The names of the package's configs, which every function and tool takes in place of a file.

    Args:
        pattern: Only names that fit it, with ``*`` and ``?`` as in a shell: ``sdpose*coco*``.
    """
    names = (file.stem for file in config_dir().rglob('*.py') if '_base_' not in file.parts)
    return sorted(name for name in names if fnmatch(name, pattern))


def init_model(
    config: str, checkpoint: str | None = None, device: str = 'cpu', cfg_options: dict[str, Any] | None = None
) -> nn.Module:
    """A model for :func:`mmpose.apis.inference_topdown`, in eval mode.

    Args:
        config: A config file, or the name of one of the package's configs.
        checkpoint: Path or address of its weights; None for random ones.
        device: Where the model goes, such as ``'cuda:0'``.
        cfg_options: Overrides of the config.

    Raises:
        UserError: If the config or the checkpoint is missing or wrong, or there is no such device.
    """
    cfg = load_config(config, cfg_options)
    require_device(device)
    if checkpoint is not None:
        check_checkpoint_path(checkpoint)
    return mmpose.apis.init_model(cfg, checkpoint, device)


def require_device(device: str) -> None:
    """Refuse a device that this machine has not.

    Raises:
        UserError: Naming those that it has.
    """
    there = torch.cuda.device_count()
    known = ', '.join(['cpu', *(f'cuda:{number}' for number in range(there))])
    try:
        wanted = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise UserError(f'device={device!r} is none: this machine has {known}') from error
    if wanted.type == 'cuda' and (wanted.index or 0) >= there:
        raise UserError(f'device={device!r}: this machine has {known}')
