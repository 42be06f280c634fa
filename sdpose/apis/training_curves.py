"""What trainings have logged, as curves: losses, their shares, accuracy, and metrics of every validation and cycle."""

import json
import math
import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np

from sdpose.errors import DataError, UserError, first_few
from sdpose.io.json_file import read_json
from sdpose.visualization.figures.curves import Curve, draw_curves

from .inspection.result import Inspection

_LOG, _TESTED = 'scalars.json', 'metrics.json'
# Iterations and epochs of a training's entry; an entry without them is of a validation, whose step is its epoch.
_ITERATION, _VALIDATION = 'iteration', 'epoch'
_NO_QUANTITY = ('epoch', 'iter', 'step')
_DEFAULT = ('loss*', 'share_*', 'acc_*', 'lr', '*/AP', '*/PCK', '*/AUC', '*/NME', 'accuracy/*')
_CYCLE = re.compile(r'^cycle(\d+)/|_cycle(\d+)$')
Series = dict[str, dict[int, float]]


def training_curves(runs: Sequence[str | Path], keys: Sequence[str] = ()) -> Inspection:
    """Draw what one or several trainings have logged.

    A training that was resumed has a log for each start; they are read one after the other, and where two have the same
    iteration, the later one counts. The quantities of cycles share a panel; of a checkpoint ``epoch_N.pth`` that was
    tested with ``--all-cycles`` into the same folder, the metrics of every cycle stand at its epoch.

    Args:
        runs: Work folders of trainings, or files ``scalars.json`` of MMEngine.
        keys: Which quantities, with ``*`` as in a shell: ``loss_kpt*``; losses, shares, accuracy, learning rate and the
            main metrics by default.

    Returns:
        The names ``runs`` and, for each quantity of the first run, an array ``run1/<quantity>``, (N, 2): iteration, or
        epoch of a validation, and the value; for further ones ``run2/...``. The table has a row for each of these.

    Raises:
        UserError: If there is no log, one cannot be read, or no quantity fits, with those that there are.
    """
    names = _names(runs)
    logs = [read_log(Path(run)) for run in runs]
    known = list(dict.fromkeys(key for log in logs for each in log.values() for key in each))
    chosen = [key for key in known if any(fnmatch(_base(key)[0], wanted) for wanted in keys or _DEFAULT)]
    if not chosen:
        raise UserError(f'nothing that was logged fits {", ".join(keys or _DEFAULT)}: there is {", ".join(known)}')
    panels: dict[str, tuple[str, list[Curve]]] = {}
    arrays: dict[str, np.ndarray] = dict(runs=np.array(names))
    for unit in (_ITERATION, _VALIDATION):
        for key in chosen:
            for number, log in enumerate(logs):
                if key not in log[unit]:
                    continue
                x, y = map(list, zip(*sorted(log[unit][key].items())))
                base, cycle = _base(key)
                panels.setdefault(base, (unit, []))[1].append(Curve(number, cycle, x, y))
                arrays[f'run{number + 1}/{key}'] = np.column_stack([x, y])
    figure = draw_curves(panels, names, 'Training')
    table = [
        dict(run=names[number], quantity=key, unit=unit, step=step, value=value)
        for number, log in enumerate(logs)
        for unit, series in log.items()
        for key in chosen
        for step, value in sorted(series.get(key, {}).items())
    ]
    return Inspection(figure, f'{len(names)} run(s), {len(panels)} quantities', arrays, table)


def _names(runs: Sequence[str | Path]) -> list[str]:
    """Names that tell the runs apart: those of their folders, or the whole paths where these are alike."""
    folders = [Path(run).parent if Path(run).is_file() else Path(run) for run in runs]
    short = [folder.absolute().name for folder in folders]
    return short if len(set(short)) == len(short) else [str(run) for run in runs]


def read_log(run: Path) -> dict[str, Series]:
    """What a training has logged: quantities by step, below ``'iteration'``, or ``'epoch'`` for validations.

    Raises:
        UserError: If there is no log.
        DataError: If it is damaged, or holds nothing of a training.
    """
    files = [run] if run.is_file() else sorted(run.rglob(_LOG))
    if not files:
        raise UserError(f'{run} has no {_LOG} below it: name the work folder of a training, or the file itself')
    found: dict[str, Series] = {_ITERATION: {}, _VALIDATION: {}}
    for file in files:
        for entry in _entries(file):
            unit = _ITERATION if 'iter' in entry else _VALIDATION
            for key, value in entry.items():
                if key not in _NO_QUANTITY and isinstance(value, (int, float)) and math.isfinite(value):
                    found[unit].setdefault(key, {})[int(entry['step'])] = float(value)
    for file in sorted(run.rglob(_TESTED)) if run.is_dir() else ():
        for key, epoch, value in _tested(file):
            found[_VALIDATION].setdefault(key, {})[epoch] = value
    if not any(found.values()):
        raise DataError(f'{first_few([str(file) for file in files])}: nothing was logged yet')
    return found


def _entries(file: Path) -> list[dict[str, Any]]:
    """The lines of a log; the last one may be cut off by a run that was killed, or is being written.

    Raises:
        DataError: If another one is no entry.
    """
    try:
        lines = file.read_text(encoding='utf-8').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f'{file} cannot be read: {error}') from error
    entries = []
    for number, line in enumerate(lines, start=1):
        try:
            entry = json.loads(line)
            int(entry['step'])
        except (ValueError, TypeError, KeyError) as error:
            if number == len(lines):
                break
            raise DataError(f'{file}, line {number}, is no entry of {_LOG} with a step: {line[:60]}') from error
        entries.append(entry)
    return entries


def _tested(file: Path) -> Iterator[tuple[str, int, float]]:
    """The metrics of every cycle that a test has written, with the epoch of its checkpoint.

    Raises:
        DataError: If it is no JSON.
    """
    content = read_json(file, 'the metrics of a test')
    record = content if isinstance(content, dict) else {}
    epoch = re.search(r'epoch_(\d+)\.pth$', str(record.get('checkpoint')))
    metrics = record.get('metrics')
    for key, value in metrics.items() if isinstance(metrics, dict) else ():
        if epoch is not None and _base(key)[1]:
            yield key, int(epoch[1]), float(value)


def _base(key: str) -> tuple[str, int]:
    """A quantity without its cycle, and the cycle, 0 for none: ``loss_kpt_cycle2``, ``cycle2/coco/AP``."""
    match = _CYCLE.search(key)
    return (key, 0) if match is None else (_CYCLE.sub('', key), int(match[1] or match[2]))
