"""Train, evaluate and report tables of experiments; what ``tools/analysis_tools/run_table.py`` runs."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Optional, TypeVar

from sdpose.datasets.synthetic.generate import generate
from sdpose.datasets.synthetic.progress import show_progress
from sdpose.datasets.synthetic.request import Request, parse_size
from sdpose.errors import UserError
from sdpose.fileio import atomic_write
from sdpose.folders import require_writable, sole_training

from ..preflight import check_data
from ..run_options import prepare
from .execute import Executor
from .plan import DataSet, Plan, Row, Scale, Table, read_plan
from .plot import plot
from .report import Outcome, markdown
from .run import Homes, Run, make_run

_Item = TypeVar('_Item')


def run_table(file: str, names: Sequence[str], train: list[str], test: list[str], scale: str, data: Optional[str],
              seeds: int, jobs: int, work_dir: str, data_root: Optional[str], report_only: bool,
              say: Callable[[str], None]) -> list[Path]:
    """Run every row of some tables over several seeds and write the reports.

    What is finished is not repeated; an interrupted training goes on from its newest checkpoint.

    Args:
        file: The YAML file of tables.
        names: Tables to run; equal rows of several run once.
        train: The command that trains, to which a config and options are added.
        test: The command that evaluates.
        scale: Name of one of the file's scales.
        data: Name of one of the scale's data sets; default its first.
        seeds: Seeds 0 to seeds - 1.
        jobs: Trainings at a time.
        work_dir: Everything is written below ``work_dir/<scale>_<data>``.
        data_root: Where the data are, if not where the file says.
        report_only: Report what is finished, train nothing.
        say: Receives one line at a time about the progress.

    Returns:
        The reports.

    Raises:
        UserError: For anything the user can cure, a folder in which another one is at work included; also, after all
            else was done, if runs failed.
    """
    _require_positive('--seeds', seeds)
    _require_positive('--jobs', jobs)
    plan = read_plan(Path(file))
    tables = {name: _pick('table', name, plan.tables, file) for name in names}
    chosen = _pick('--scale', scale, plan.scales, file)
    data = data or next(iter(chosen.data))
    data_set = _pick('--data', data, chosen.data, f'scale {scale}')
    root = os.path.join(data_root or data_set.root, '')
    folder = Path(work_dir) / f'{scale}_{data}'
    require_writable(folder, '--work-dir')
    homes = Homes(folder)
    runs = {(name, row.name, seed): _run(plan, chosen, data_set, root, row, seed, homes)
            for seed in range(seeds) for name, table in tables.items() for row in table.rows}
    missing = list({run.folder: run for run in runs.values() if run.result() is None}.values())
    count = len({run.folder for run in runs.values()})
    say(f'{count} trainings ({scale}, {data}, seeds 0 to {seeds - 1}), {count - len(missing)} of them finished before')
    failed: list[Run] = []
    if missing and not report_only:
        _draw(data_set, root, say)
        # Once, and before anything is trained: a training would find the same fault after the others had failed on it.
        check_data(prepare(missing[0].config, cfg_options=missing[0].overrides), ('train', 'test'))
        with sole_training(folder):
            failed = Executor(train, test, jobs, chosen.threads, _counting(say, len(missing)))(missing)
    reports = [_report(name, table, runs, seeds, folder, f'Scale {scale}, data {data}, {chosen.config}.')
               for name, table in tables.items()]
    if failed:
        raise UserError(f'{len(failed)} of {count} trainings failed, the reports lack them: '
                        f'see {", ".join(str(run.folder / "run.log") for run in failed)}')
    return reports


def _run(plan: Plan, scale: Scale, data: DataSet, root: str, row: Row, seed: int, homes: Homes) -> Run:
    overrides: dict[str, Any] = {'data_root': root, **scale.overrides,
                                 'model.neck.depth': scale.layers[row.depth], **row.overrides}
    # Files beside the data root, such as an evaluator's annotations, move with it.
    moved = {key: root + value[len(data.root):] if isinstance(value, str) and value.startswith(data.root) else value
             for key, value in data.overrides.items()}
    return make_run(scale.config, {**overrides, **moved}, seed, homes, row.name, plan.metric)


def _draw(data: DataSet, root: str, say: Callable[[str], None]) -> None:
    """Draw the synthetic set of a scale where it is not there yet."""
    if data.draw is None:
        return
    request = Request(**{**data.draw, 'size': parse_size(data.draw['size'])})
    with show_progress('drawing people') as progress:
        drawn = generate(Path(root), request, len(os.sched_getaffinity(0)), False, progress)
    say(f'{root}: {"drawn" if drawn else "already there"}')


def _report(name: str, table: Table, runs: dict[tuple[str, str, int], Run], seeds: int, folder: Path, about: str
            ) -> Path:
    outcomes = []
    for row in table.rows:
        results = [runs[name, row.name, seed].result() for seed in range(seeds)]
        outcomes.append(Outcome(row, [{cycle: 100 * value for cycle, value in found.items()} if found else None
                                      for found in results]))
    path = folder / f'{name}.md'
    with atomic_write(path, 'w') as file:
        file.write(markdown(table, outcomes, about))
    plot(table, outcomes, path.with_suffix('.png'))
    return path


def _counting(say: Callable[[str], None], total: int) -> Callable[[str], None]:
    """A reporter that counts what has ended."""
    ended: list[str] = []

    def report(line: str) -> None:
        ended.append(line)
        say(f'[{len(ended)}/{total}] {line}')
    return report


def _pick(what: str, name: str, known: dict[str, _Item], where: str) -> _Item:
    if name not in known:
        raise UserError(f'{what} {name}: {where} has only {", ".join(known)}')
    return known[name]


def _require_positive(option: str, value: int) -> None:
    if value < 1:
        raise UserError(f'{option} {value}: give at least 1')
