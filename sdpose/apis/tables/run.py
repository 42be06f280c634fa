"""One training of a table with one seed: its folder, its commands, its result."""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from sdpose.errors import ConfigError
from sdpose.fileio import atomic_write

from ..run_options import prepare

RESULT = 'result.json'


@dataclass(frozen=True)
class Run:
    """A training and its evaluation.

    Attributes:
        config: The config file.
        overrides: Config keys and their values, the seed among them.
        folder: Where everything of this run lies.
        cycles: Cycles of the model, each of which is evaluated.
        last: Name of the checkpoint at the end of the training.
        metric: Name of the metric that counts.
    """
    config: str
    overrides: dict[str, Any]
    folder: Path
    cycles: int
    last: str
    metric: str

    def result(self) -> Optional[dict[int, float]]:
        """The metric by cycle, counted from 1, or None while the run is not finished.

        Raises:
            ConfigError: If the file cannot be read.
        """
        path = self.folder / RESULT
        if not path.is_file():
            return None
        try:
            return {int(cycle): float(value) for cycle, value in json.loads(path.read_text())['metric'].items()}
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise ConfigError(f'{path} is damaged ({error!r}); remove it, and the run is evaluated again') from error

    def trained(self) -> bool:
        """Whether the training is at its end."""
        return (self.folder / self.last).is_file()

    def train_command(self, launch: list[str]) -> list[str]:
        """The training, which goes on from the newest checkpoint of an interrupted one."""
        return [*launch, self.config, '--work-dir', str(self.folder), '--no-validate', '--resume', *self._options()]

    def test_command(self, launch: list[str]) -> list[str]:
        """The evaluation of every cycle."""
        return [*launch, self.config, str(self.folder / self.last), '--work-dir', str(self.folder / 'test'),
                '--all-cycles', *self._options()]

    def finish(self) -> dict[int, float]:
        """Collect the metric of every cycle from the evaluations and write the result.

        Raises:
            ConfigError: If the evaluation did not report the metric.
        """
        newest = max((self.folder / 'test').glob('*/metrics.json'), key=os.path.getmtime)
        metrics = json.loads(newest.read_text())['metrics']
        wanted = {cycle: f'cycle{cycle}/{self.metric}' for cycle in range(1, self.cycles + 1)}
        missing = sorted(set(wanted.values()).difference(metrics))
        if missing:
            raise ConfigError(f'{self.config} reports no metric {missing[0]!r}, only {", ".join(metrics)}')
        found = {cycle: metrics[name] for cycle, name in wanted.items()}
        with atomic_write(self.folder / RESULT, 'w') as file:
            json.dump(dict(metric=found, name=self.metric, config=self.config, overrides=self.overrides), file,
                      indent=2)
        return found

    def _options(self) -> list[str]:
        return ['--cfg-options', *(f'{key}={value}' for key, value in self.overrides.items())]


class Homes:
    """Folders of trainings, each named after the first row that needs it and the fingerprint of its config.

    Args:
        folder: Where they lie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known = {path.name.rpartition('-')[2]: path for path in sorted(folder.glob('*-*')) if path.is_dir()}

    def __call__(self, fingerprint: str, name: str) -> Path:
        """The folder of a training, old or new."""
        slug = re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')
        return self._known.setdefault(fingerprint, self.folder / f'{slug}-{fingerprint}')


def make_run(config: str, overrides: Mapping[str, Any], seed: int, homes: Homes, name: str, metric: str) -> Run:
    """A run in a folder that carries the fingerprint of the merged config.

    Equal trainings of several tables share it, and a changed config never takes over the result of another.

    Raises:
        ConfigError: If an override does not fit the config.
    """
    cfg = prepare(config, cfg_options=dict(overrides))
    content = {key: value for key, value in cfg.to_dict().items() if key not in ('work_dir', 'randomness')}
    fingerprint = hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:10]
    length = cfg.train_cfg
    last = f'epoch_{length.max_epochs}.pth' if 'max_epochs' in length else f'iter_{length.max_iters}.pth'
    return Run(config, {**overrides, 'randomness.seed': seed}, homes(fingerprint, name) / f'seed{seed}',
               cfg.model.neck.num_cycles, last, metric)
