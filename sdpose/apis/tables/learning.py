"""Learning curves of a table's rows: what their trainings logged, averaged over seeds, and all of it as CSV."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sdpose.apis.training_curves import Series, read_log
from sdpose.errors import UserError

_POINTS = 60
_TOTAL = 'loss'
# Of the deployed cycle, so that rows with any number of cycles can be compared.
_ACCURACY = ('acc_pose', 'acc_top-1', 'acc')

Curve = tuple[list[float], list[float]]


def learning_curves(folders: dict[str, Sequence[Path | None]]) -> tuple[str, dict[str, Curve]]:
    """The accuracy in training of every row, or its loss where not all rows log an accuracy.

    Args:
        folders: Of each row's trainings; those that are not there, or have no log yet, are left out.

    Returns:
        The quantity, and by row iterations and means over seeds, of steps that all of its trainings have.
    """
    logs = {row: [log for folder in some if (log := _logged(folder))] for row, some in folders.items()}
    logs = {row: some for row, some in logs.items() if some}
    everywhere = set.intersection(*(set(log) for some in logs.values() for log in some)) if logs else set()
    quantity = next((name for name in (*_ACCURACY, _TOTAL) if name in everywhere), '')
    curves = {row: _mean([log[quantity] for log in some]) for row, some in logs.items()} if quantity else {}
    return quantity, {row: curve for row, curve in curves.items() if curve[0]}


def curves_csv(folders: dict[str, Sequence[Path | None]], numbers: Sequence[str] = ()) -> str:
    """Every loss term and accuracy that was logged, as CSV: row, seed, iteration, quantities.

    Losses are as they count in the sum; those of the cycles stand beside each other (``loss_kpt_cycle1``).

    Args:
        folders: Of each row's trainings, one per seed; those that are not there, or have no log yet, are left out.
        numbers: What the seeds are; 0, 1 and so on by default.
    """
    logs = [
        (row, numbers[place] if numbers else place, _logged(folder))
        for row, some in folders.items()
        for place, folder in enumerate(some)
    ]
    names = sorted({name for *_, log in logs for name in log if name.startswith(('loss_', 'acc'))})
    file = io.StringIO()
    writer = csv.writer(file, lineterminator='\n')
    writer.writerow(('row', 'seed', 'iteration', *names))
    for row, seed, log in logs:
        for step in sorted({step for name in names for step in log.get(name, {})}):
            values = (log.get(name, {}).get(step) for name in names)
            writer.writerow((row, seed, step, *('' if value is None else f'{value:.4g}' for value in values)))
    return file.getvalue()


def _logged(folder: Path | None) -> Series:
    if folder is None:
        return {}
    try:
        return read_log(folder)['iteration']
    except UserError:  # a page about results does not end because of a log that is gone
        return {}


def _mean(runs: Sequence[dict[int, float]]) -> Curve:
    """The mean of runs at the steps that all have, at most 60 of them, each the mean of those around it."""
    steps = sorted(set.intersection(*(set(run) for run in runs)))
    values = np.array([[run[step] for step in steps] for run in runs]).reshape(len(runs), -1).mean(0)
    parts = np.array_split(np.arange(len(steps)), min(_POINTS, len(steps)) or 1)
    means = [(float(np.mean([steps[i] for i in part])), float(values[part].mean())) for part in parts if len(part)]
    return [x for x, _ in means], [y for _, y in means]
