"""Models by the name of their config."""

from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import mmpose.apis
import torch
from torch import nn

from sdpose.config.find import config_dir
from sdpose.config.load import load_config
from sdpose.config.metafiles import iter_entries
from sdpose.errors import UserError
from sdpose.io.checkpoint import check_checkpoint_path
from sdpose.io.model_store import stored_weights


class ModelName(str):
    """The name of a config, with what its method's metafile says of it and where its weights are.

    Attributes:
        data: The data set that it is for, as COCO; None for a config without a metafile, such as the tiny ones.
        params: Trainable parameters of the deployed model.
        flops: Multiply-adds of the deployed pass in the published convention, without the two attention products.
        multiply_adds: Those of all convolutions and matrix products.
        results: Figures by name. They are the papers', ``'AP (paper)'``, unless the name says otherwise.
        weights: Published checkpoints of the config in the local store, see :mod:`sdpose.io.model_store`.
    """

    data: str | None
    params: int | None
    flops: float | None
    multiply_adds: float | None
    results: dict[str, float]
    weights: tuple[Path, ...]

    def __new__(cls, name: str, entry: dict[str, Any] | None = None, weights: Sequence[Path] = ()) -> 'ModelName':
        """A name with the entry of a metafile, if there is one."""
        self, entry = super().__new__(cls, name), entry or {}
        counts = entry.get('Metadata') or {}
        self.data, self.params = counts.get('Training Data'), counts.get('Parameters')
        self.flops, self.multiply_adds = counts.get('FLOPs'), counts.get('Multiply-adds')
        self.results = {
            key: float(value) for result in entry.get('Results') or () for key, value in result['Metrics'].items()
        }
        self.weights = tuple(weights)
        return self


def list_models(pattern: str = '*') -> list[ModelName]:
    """The names of the package's configs, which every function and tool takes in place of a file, with their figures.

    Args:
        pattern: Only names that fit it, with ``*`` and ``?`` as in a shell: ``sdpose*coco*``.
    """
    names = (file.stem for file in config_dir().rglob('*.py') if '_base_' not in file.parts)
    entries, stored = {entry['Name']: entry for entry in iter_entries()}, stored_weights()
    wanted = sorted(name for name in names if fnmatch(name, pattern))
    return [ModelName(name, entries.get(name), stored.get(name, ())) for name in wanted]


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
