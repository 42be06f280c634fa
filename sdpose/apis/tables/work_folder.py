"""What a work folder says about itself: the config it was trained with, and the results of its tests."""

import copy
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

from sdpose.config.load import load_config
from sdpose.config.nodes import moved
from sdpose.config.options import set_as_run
from sdpose.errors import DataError

# What decides the training; the rest of a config is about the machine and the log.
_DECISIVE = ('model', 'train_dataloader', 'optim_wrapper', 'param_scheduler', 'train_cfg', 'auto_scale_lr')
_ABOUT_THE_MACHINE = (
    'num_workers',
    'persistent_workers',
    'pin_memory',
    'prefetch_factor',
    'model.distiller.checkpoint',
)
# How sdpose.evaluation.box_source describes them.
_ANNOTATED = 'ground-truth boxes'


@dataclass(frozen=True)
class WorkFolder:
    """A folder that ``tools/train.py`` or ``tools/test.py`` wrote.

    Attributes:
        path: The folder.
        config: The config it holds.
        name: The config's name.
        evaluation: The newest ``metrics.json`` that is on a detector's boxes or on images, if there is one.
        annotated: The newest one on annotated boxes, if there is one.
    """

    path: Path
    config: Config
    name: str
    evaluation: dict[str, Any] | None
    annotated: dict[str, Any] | None

    @property
    def test(self) -> dict[str, Any]:
        """The newest test on a detector's boxes or on images, else the one on annotated boxes."""
        found = self.evaluation or self.annotated
        assert found is not None, f'{self.path} was read without a test'  # read_work_folder refuses it
        return found

    def differences(self, other: Config) -> list[str]:
        """Keys in which the training differs from that of a config, wherever its data lie."""
        mine, its = (_flat(_decisive(cfg, other.get('data_root'))) for cfg in map(_as_run, (self.config, other)))
        return sorted(key for key in mine.keys() | its.keys() if mine.get(key, '') != its.get(key, ''))


def read_work_folder(path: str) -> WorkFolder:
    """Read a work folder.

    Raises:
        DataError: If it is none, or no test of it was run.
    """
    folder = Path(path)
    if not folder.is_dir():
        problem = 'it is a file' if folder.exists() else 'it does not exist'
        raise DataError(f'--collect {path}: {problem}; name the work folder of a training')
    configs = sorted(folder.glob('*.py'))
    if len(configs) != 1:
        found = ', '.join(file.name for file in configs) or 'none'
        raise DataError(f'--collect {path}: a work folder holds the one config it was made with, this one {found}')
    records = [
        record
        for file in sorted(folder.rglob('metrics.json'), key=lambda file: file.stat().st_mtime)
        if (record := _read(file)) is not None
    ]
    if not records:
        raise DataError(
            f'--collect {path}: no test was run here (no metrics.json); python tools/test.py {configs[0]} '
            f'{path}/CHECKPOINT --work-dir {path}'
        )
    newest = {_ANNOTATED in record.get('boxes', ''): record for record in records}
    return WorkFolder(folder, load_config(configs[0]), configs[0].stem, newest.get(False), newest.get(True))


def _read(file: Path) -> dict[str, Any] | None:
    """The record of a test; None for a file of that name that is something else.

    Raises:
        DataError: If it is damaged.
    """
    try:
        record = json.loads(file.read_text(encoding='utf-8'))
        return record if 'checkpoint' in record and isinstance(record['metrics'], dict) else None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f'{file} is damaged ({error!r}): remove it, and test again') from error


def _as_run(cfg: Config) -> Config:
    """A config with what a run sets in it, as its folder holds it."""
    cfg = copy.deepcopy(cfg)
    set_as_run(cfg)
    return cfg


def _decisive(cfg: Config, root: str | None) -> dict[str, Any]:
    """The parts of a config that decide the training, with its data in another folder."""
    parts = {key: value for key, value in cfg.to_dict().items() if key in _DECISIVE}
    return moved(parts, cfg.data_root, root) if cfg.get('data_root') and root else parts


def _flat(node: Any, where: str = '') -> dict[str, str]:
    """A part of a config as dotted keys and the text of their values."""
    items: Iterable[tuple[Any, Any]]
    if isinstance(node, dict) and node:
        items = node.items()
    elif isinstance(node, (list, tuple)) and any(isinstance(item, dict) for item in node):
        items = enumerate(node)
    else:
        value = list(node) if isinstance(node, tuple) else node
        apart = where.endswith(_ABOUT_THE_MACHINE) or value is None
        return {} if apart else {where: json.dumps(value, default=str)}
    return {
        key: value
        for name, item in items
        for key, value in _flat(item, f'{where}.{name}' if where else str(name)).items()
    }
