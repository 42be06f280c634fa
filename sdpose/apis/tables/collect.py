"""Results of trainings that somebody ran, beside the paper's numbers: nothing is trained."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Optional

from sdpose.errors import UserError
from sdpose.folders import require_writable

from ..configs import load_config
from .plan import Plan, Row, Table
from .plan_file import read_plan
from .run import Homes
from .run_table import outcome, write_report
from .setting import Setting, pick
from .work_folder import WorkFolder, read_work_folder

_NAMED = 6  # differing keys


def collect(file: str, name: str, folders: Sequence[str], say: Callable[[str], None],
            work_dir: str = 'work_dirs/tables') -> Path:
    """Report the results of work folders in a table.

    A folder belongs to the rows with its config's name and its model, at any scale; what else differs in the training
    is said. Several folders of one row are its seeds.

    Args:
        file: The YAML file of tables.
        name: The table.
        folders: Work folders.
        say: Receives one line per folder.
        work_dir: The report is written to ``work_dir/collected``.

    Returns:
        The report.

    Raises:
        UserError: If a folder holds no result, or is of no row of the table.
    """
    plan = read_plan(Path(file))
    table = pick('table', name, plan.tables, file)
    records: dict[str, list[dict[str, Any]]] = {row.name: [] for row in table.rows}
    sources: dict[str, list[str]] = {row.name: [] for row in table.rows}
    remarks = []
    for folder in map(read_work_folder, folders):
        rows, differing = _rows_of(folder, plan, table, name)
        metric = table.metric or plan.metric
        record = dict(metric=_by_cycle(folder, metric), evaluation=folder.evaluation)
        for row in rows:
            records[row.name].append(record)
            sources[row.name].append(folder.name)
        remarks.append(_remark(folder, rows, differing, metric, table))
        say(remarks[-1])
    outcomes = [outcome(table, row, records[row.name] or [None], ', '.join(dict.fromkeys(sources[row.name])))
                for row in table.rows]
    path = Path(work_dir) / 'collected'
    require_writable(path, '--work-dir')
    return write_report(path / f'{name}.md', table, outcomes, 'Collected from work folders.',
                        [f'- {remark}' for remark in remarks])


def _rows_of(folder: WorkFolder, plan: Plan, table: Table, name: str) -> tuple[list[Row], list[str]]:
    """The rows that a folder is a training of, and the keys in which its training differs from them.

    Raises:
        UserError: If there are none.
    """
    found: dict[str, list[str]] = {}
    for scale_name, scale in plan.scales.items():
        for row in table.rows:
            setting = Setting(plan, scale_name, next(iter(scale.data)), scale.data[next(iter(scale.data))].root,
                              Homes(Path()))
            recipe = setting.recipe(row)
            if recipe and Path(recipe[0]).stem == folder.name:
                changes = {key: value for key, value in recipe[1].items() if key != 'data_root'}
                found[row.name] = folder.differences(load_config(recipe[0], changes))
    if not found:
        raise UserError(f'--collect {folder.path}: its config {folder.name} is that of no row of {name}')
    fitting = {row: keys for row, keys in found.items() if not any(key.startswith('model.') for key in keys)}
    if not fitting:
        row, keys = min(found.items(), key=lambda item: len(item[1]))
        raise UserError(f'--collect {folder.path}: its model is that of no row of {name}; it differs from {row} in '
                        f'{_some([key for key in keys if key.startswith("model.")])}')
    least = min(map(len, fitting.values()))
    rows = [row for row in table.rows if row.name in fitting and len(fitting[row.name]) == least]
    return rows, fitting[rows[0].name]


def _by_cycle(folder: WorkFolder, metric: str) -> dict[int, float]:
    """The metric by cycle, as the test reported it.

    Raises:
        UserError: If it did not.
    """
    metrics = folder.evaluation['metrics']
    cycles = {int(name.removeprefix('cycle').partition('/')[0]): value for name, value in metrics.items()
              if name.startswith('cycle') and name.partition('/')[2] == metric}
    if not cycles and metric not in metrics:
        raise UserError(f'--collect {folder.path}: its test reports no {metric}, only {", ".join(metrics)}')
    return cycles or {1: metrics[metric]}


def _remark(folder: WorkFolder, rows: Sequence[Row], differing: Sequence[str], metric: str, table: Table) -> str:
    """One line about a folder: whose it is, on what it was measured, and what differs."""
    measured: Optional[str] = folder.evaluation.get('boxes') or folder.evaluation.get('images')
    parts = [f'{folder.path}: {", ".join(row.name for row in rows)}', f'{folder.name}', f'measured on {measured}']
    if folder.annotated and metric in folder.annotated['metrics']:
        value = folder.annotated['metrics'][metric] * (1 if table.percent else 100)
        parts.append(f'{metric} on annotated boxes {value:.1f}')
    if differing:
        parts.append(f'trained differently from the row in {_some(differing)}')
    return '; '.join(parts)


def _some(keys: Sequence[str]) -> str:
    more = f' and {len(keys) - _NAMED} more' if len(keys) > _NAMED else ''
    return ', '.join(keys[:_NAMED]) + more
