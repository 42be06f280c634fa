"""Train, evaluate and report tables of experiments; what ``tools/analysis_tools/run_table.py`` runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sdpose.errors import UserError
from sdpose.io.atomic import atomic_write
from sdpose.io.folders import require_writable

from .learning import curves_csv
from .page import table_csv, table_page
from .plan import Table
from .plan_file import read_plan
from .plot import plot
from .report import Outcome, markdown
from .row_report import of_cycle
from .run import Run
from .setting import Setting, choose, pick
from .work import Means, require_means, work

# The runs of each row of one table, per seed.
Rows = dict[str, list[Run]]


def run_table(
    file: str,
    names: Sequence[str],
    means: Means,
    scale: str = 'mini',
    data: str | None = None,
    seeds: int = 3,
    work_dir: str = 'work_dirs/tables',
    data_root: str | None = None,
    options: dict[str, Any] | None = None,
    report_only: bool = False,
) -> list[Path]:
    """Run every row of some tables over several seeds and write the reports.

    What is finished is not repeated; an interrupted training goes on from its newest checkpoint.

    Args:
        file: The YAML file of tables.
        names: Tables to run; equal rows of several run once.
        means: How trainings are run.
        scale: Name of one of the file's scales.
        data: Name of one of the scale's data sets; default the table's, or the scale's first.
        seeds: Seeds 0 to seeds - 1.
        work_dir: Everything is written below ``work_dir/<scale>_<data>``.
        data_root: Where the data are, if not where the file says.
        options: Config keys of every row.
        report_only: Report what is finished, train nothing.

    Returns:
        The reports.

    Raises:
        UserError: For anything the user can cure, a folder in which another one is at work included; also, after all
            else was done, if runs failed.
    """
    require_means(means, seeds)
    plan = read_plan(Path(file))
    tables = {name: pick('table', name, plan.tables, file) for name in names}
    groups: dict[str, tuple[Setting, dict[str, Rows]]] = {}
    for name, table in tables.items():
        setting = choose(plan, file, table, scale, data, data_root, work_dir, options or {})
        setting, chosen = groups.setdefault(setting.data_name, (setting, {}))
        require_writable(setting.run_folders.folder, '--work-dir')
        chosen[name] = {row.name: setting.runs(table, row, seeds) for row in table.rows}
    failed: list[Run] = []
    for setting, chosen in groups.values():
        failed += _run_group(setting, chosen, seeds, means, report_only)
    reports = [
        _report(setting, name, plan.tables[name], rows, seeds)
        for setting, chosen in groups.values()
        for name, rows in chosen.items()
    ]
    if failed:
        raise UserError(
            f'{len(failed)} trainings failed, the reports lack them: '
            f'see {", ".join(str(run.folder / "run.log") for run in failed)}'
        )
    return reports


def _run_group(setting: Setting, chosen: dict[str, Rows], seeds: int, means: Means, report_only: bool) -> list[Run]:
    """Work on the tables of one setting; the runs that failed."""
    runs = [run for rows in chosen.values() for of_row in rows.values() for run in of_row]
    count, done = (len({run.folder for run in some}) for some in (runs, [run for run in runs if run.finished()]))
    means.say(
        f'{count} trainings ({setting.scale_name}, {setting.data_name}, seeds 0 to {seeds - 1}), {done} of them '
        'finished before'
    )
    return [] if report_only else work(setting, runs, means)


def _report(setting: Setting, name: str, table: Table, rows: Rows, seeds: int) -> Path:
    unscored = setting.scale_name in table.unscored
    outcomes = []
    for row in table.rows:
        records = [None if unscored else run.record() for run in rows[row.name]] or [None] * seeds
        source = setting.recipe(row)
        folders = [run.folder for run in rows[row.name]]
        outcomes.append(outcome(table, row, records, Path(source[0]).stem if source else '', folders))
    about = f'Scale {setting.scale_name}, data {setting.data_name}'
    if not any(row.configs for row in table.rows):
        about += f', {setting.scale.config}'
    remarks = [
        f"- {row}, for COCO's server: {run.submission}"
        for row, of_row in rows.items()
        for run in of_row
        if unscored and run.submission.is_file()
    ]
    return write_report(setting.run_folders.folder / f'{name}.md', table, outcomes, f'{about}.', remarks)


def outcome(
    table: Table,
    row: Any,
    records: Sequence[dict[str, Any] | None],
    source: str,
    folders: Sequence[Path | None] = (),
    numbers: Sequence[str] = (),
) -> Outcome:
    """What the records of a row's runs say, in per cent.

    Args:
        table: The table.
        row: One of its rows.
        records: Per seed, that of :meth:`Run.record`; None where a run is not finished.
        source: What was trained.
        folders: Of the trainings, one per seed.
        numbers: What the seeds are, as of :class:`Outcome`.
    """
    factor = 1 if table.percent else 100
    seeds = [
        None if found is None else {cycle: factor * value for cycle, value in found['metric'].items()}
        for found in records
    ]
    columns = {}
    for column, metric in table.columns.items():
        values = [of_cycle(found, metric, row.read or table.read) for found in records if found]
        columns[column] = [factor * value for value in values if value is not None]
    return Outcome(row, seeds, columns, source, folders, numbers)


def write_report(path: Path, table: Table, outcomes: Sequence[Outcome], about: str, remarks: Sequence[str]) -> Path:
    """Write a report as Markdown, beside it a page, a picture, numbers and curves; returns the first one's path."""
    contents = {
        '.md': markdown(table, outcomes, about, remarks),
        '.html': table_page(table, outcomes, about, remarks),
        '.csv': table_csv(outcomes),
        '.curves.csv': curves_csv({item.row.name: item.folders for item in outcomes}, outcomes[0].numbers),
    }
    for suffix, content in contents.items():
        with atomic_write(path.with_suffix(suffix), 'w', encoding='utf-8') as file:
            file.write(content)
    plot(table, outcomes, path.with_suffix('.png'))
    return path
