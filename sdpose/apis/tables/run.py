"""One training of a table with one seed: its folder, its commands, its result."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Optional

from mmengine.config import Config

from sdpose.config.options import prepare
from sdpose.config.values import format_value
from sdpose.errors import ConfigError
from sdpose.io.atomic import atomic_write

from .environment import environment
from .plan import slug

RESULT = 'result.json'
# What does not belong to the training that a config describes.
_APART = ('work_dir', 'randomness')


@dataclass(frozen=True)
class Run:
    """A training and its evaluations.

    Attributes:
        config: The config file.
        overrides: Config keys and their values, the seed among them.
        folder: Where everything of this run lies.
        cycles: Cycles of the model, each of which is evaluated; None for a model that is evaluated as a whole.
        last: Name of the checkpoint at the end of the training.
        metric: Name of the metric that counts.
        percent: Whether it is in per cent, not a fraction.
        annotated: Whether it is evaluated on annotated boxes, too.
        test_dev: Whether its results on COCO test-dev are written, too.
        teacher: The run whose checkpoint this one needs.
    """

    config: str
    overrides: dict[str, Any]
    folder: Path
    cycles: int | None
    last: str
    metric: str
    percent: bool = False
    annotated: bool = False
    test_dev: bool = False
    teacher: Optional['Run'] = None

    @property
    def checkpoint(self) -> Path:
        """Where the end of the training is."""
        return self.folder / self.last

    @property
    def submission(self) -> Path:
        """Where the results on COCO test-dev are."""
        return self.folder / 'test_dev.json'

    def record(self) -> dict[str, Any] | None:
        """What is written about the finished run, or None.

        Raises:
            ConfigError: If the file cannot be read.
        """
        path = self.folder / RESULT
        if not path.is_file():
            return None
        try:
            record = json.loads(path.read_text())
            record['metric'] = {int(cycle): float(value) for cycle, value in record['metric'].items()}
            return record
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise ConfigError(f'{path} is damaged ({error!r}); remove it, and the run is evaluated again') from error

    def finished_record(self) -> dict[str, Any]:
        """As ``record``, of a run that has ended.

        Raises:
            ConfigError: If there is no record.
        """
        record = self.record()
        if record is None:
            raise ConfigError(f'{self.folder / RESULT} is missing although its run has ended: start the table again')
        return record

    def result(self) -> dict[int, float] | None:
        """The metric by cycle, counted from 1, or None while the run is not finished."""
        record = self.record()
        return None if record is None else record['metric']

    def finished(self) -> bool:
        """Whether the training and every evaluation that is asked for are done."""
        record = self.record()
        return (
            record is not None
            and (not self.annotated or 'annotated' in record)
            and (not self.test_dev or self.submission.is_file())
        )

    def commands(self, train: list[str], test: list[str]) -> list[list[str]]:
        """What is left to do: the training, which goes on from its newest checkpoint, and the evaluations."""
        options = ['--cfg-options', *(f'{key}={format_value(value)}' for key, value in self.overrides.items())]
        every = ['--all-cycles'] if self.cycles else []

        def tested(folder: str, *flags: str) -> list[str]:
            return [*test, self.config, str(self.checkpoint), '--work-dir', str(self.folder / folder), *flags, *options]

        commands = (
            []
            if self.checkpoint.is_file()
            else [[*train, self.config, '--work-dir', str(self.folder), '--no-validate', '--resume', *options]]
        )
        commands.append(tested('test', *every))
        if self.annotated:
            commands.append(tested('test_annotated', *every, '--gt-bbox'))
        if self.test_dev:
            commands.append(tested('test_dev', '--test-dev', '--out', str(self.submission)))
        return commands

    def finish(self, seconds: int = 0, resumed: bool = False) -> dict[int, float]:
        """Collect the metrics from the evaluations and write the result.

        Of a run that is evaluated anew, the environment of the training stays.

        Args:
            seconds: What this start took.
            resumed: Whether an earlier one had trained before.

        Returns:
            The metric that counts, by cycle.

        Raises:
            ConfigError: If the evaluation did not report the metric.
        """
        evaluation = newest_evaluation(self.folder / 'test')
        cycles = {cycle: f'cycle{cycle}/{self.metric}' for cycle in range(1, (self.cycles or 0) + 1)}
        wanted = cycles or {1: self.metric}
        metrics = evaluation['metrics']
        missing = sorted(set(wanted.values()).difference(metrics))
        if missing:
            raise ConfigError(f'{self.config} reports no metric {missing[0]!r}, only {", ".join(metrics)}')
        found = {cycle: metrics[name] for cycle, name in wanted.items()}
        earlier = self.record() or {}
        record = dict(
            metric=found,
            name=self.metric,
            config=self.config,
            overrides=self.overrides,
            evaluation=evaluation,
            environment=earlier.get('environment') or environment(),
            seconds=seconds + earlier.get('seconds', 0),
            resumed=resumed,
        )
        if self.annotated:
            record['annotated'] = newest_evaluation(self.folder / 'test_annotated')
        with atomic_write(self.folder / RESULT, 'w') as file:
            json.dump(record, file, indent=2)
        return found


def newest_evaluation(folder: Path) -> dict[str, Any]:
    """The newest ``metrics.json`` of an evaluation's folder: its metrics, and what they were measured on."""
    path = max(folder.glob('*/metrics.json'), key=os.path.getmtime)
    return {**json.loads(path.read_text()), 'file': str(path)}


def united(runs: Iterable[Run]) -> list[Run]:
    """Runs of equal trainings as one, which does what any of them asks for."""
    by_folder: dict[Path, Run] = {}
    for run in runs:
        other = by_folder.setdefault(run.folder, run)
        by_folder[run.folder] = replace(
            other, annotated=other.annotated or run.annotated, test_dev=other.test_dev or run.test_dev
        )
    return list(by_folder.values())


class RunFolders:
    """Folders of trainings, each named after the first row that needs it and the fingerprint of its config.

    Args:
        folder: Where they lie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known = {path.name.rpartition('-')[2]: path for path in sorted(folder.glob('*-*')) if path.is_dir()}

    def __call__(self, fingerprint: str, name: str) -> Path:
        """The folder of a training, old or new."""
        return self._known.setdefault(fingerprint, self.folder / f'{slug(name)}-{fingerprint}')


def make_runs(
    config: str,
    overrides: Mapping[str, Any],
    seeds: int,
    run_folders: RunFolders,
    name: str,
    metric: str,
    annotated: bool = False,
    **evaluation: Any,
) -> list[Run]:
    """A run per seed, in a folder that carries the fingerprint of the merged config.

    Equal trainings of several tables share it, and a changed config never takes over the result of another.

    Args:
        config: The config file.
        overrides: Config keys and their values.
        seeds: Seeds 0 to seeds - 1.
        run_folders: The folders.
        name: Of the row, for a new folder.
        metric: Name of the metric that counts.
        annotated: Evaluate on annotated boxes, too, if the config's test is on a detector's.
        **evaluation: Further attributes of :class:`Run`.

    Raises:
        ConfigError: If an override does not fit the config.
    """
    cfg = prepare(config, cfg_options=dict(overrides))
    home = run_folders(fingerprint(cfg, str(run_folders.folder)), name)
    length = cfg.train_cfg
    last = f'epoch_{length.max_epochs}.pth' if 'max_epochs' in length else f'iter_{length.max_iters}.pth'
    cycles = (cfg.model.get('neck') or {}).get('num_cycles')
    annotated = annotated and bool(cfg.test_dataloader.dataset.get('bbox_file'))
    return [
        Run(
            config,
            {**overrides, 'randomness.seed': seed},
            home / f'seed{seed}',
            cycles,
            last,
            metric,
            annotated=annotated,
            **evaluation,
        )
        for seed in range(seeds)
    ]


def fingerprint(cfg: Config, folder: str) -> str:
    """Ten digits that tell trainings apart, wherever the folder of all of them (which holds teachers) lies."""
    content = {key: value for key, value in cfg.to_dict().items() if key not in _APART}
    text = json.dumps(content, sort_keys=True, default=str).replace(folder, '')
    return hashlib.sha256(text.encode()).hexdigest()[:10]
