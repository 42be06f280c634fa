"""The whole reproduction of one row: data, training, both evaluations, publication, and a record of all that."""

import json
import os
from pathlib import Path
from typing import Any

from sdpose.apis.complexity import complexity
from sdpose.config.load import load_config
from sdpose.converters.publishing import publish
from sdpose.errors import UserError
from sdpose.io.atomic import atomic_write
from sdpose.io.folders import require_writable

from .data import draw, examine
from .plan import Row, Table
from .plan_file import read_plan
from .row_report import row_markdown
from .run import Run
from .setting import Setting, choose, pick
from .work import Means, require_means, work


def reproduce(
    file: str,
    name: str,
    row_name: str,
    means: Means,
    scale: str = 'mini',
    data: str | None = None,
    seeds: int = 1,
    work_dir: str = 'work_dirs/tables',
    data_root: str | None = None,
    options: dict[str, Any] | None = None,
) -> Path:
    """Reproduce one row of a table.

    The data files are compared with the known ones; what is not trained yet is trained, going on where it stopped; the
    checkpoint is evaluated on the boxes of the config's test, a detector's where it names some, and on annotated ones;
    it is published with its metrics; and the row is written, as Markdown and JSON, with the environment it was made in.

    Args:
        file: The YAML file of tables.
        name: The table.
        row_name: The row, by its name or the name's small letters and hyphens.
        means: How trainings are run.
        scale: Name of one of the file's scales.
        data: Name of one of the scale's data sets; default the table's, or the scale's first.
        seeds: Seeds 0 to seeds - 1.
        work_dir: Everything is written below ``work_dir/<scale>_<data>``.
        data_root: Where the data are, if not where the file says.
        options: Config keys that differ from the row's, which are part of its record.

    Returns:
        The row, ``row.md``; ``row.json`` lies beside it.

    Raises:
        UserError: For anything the user can cure: no such row, other data, too few GPUs, a failed training.
    """
    require_means(means, seeds)
    plan = read_plan(Path(file))
    table = pick('table', name, plan.tables, file)
    row = find_row(table, name, row_name)
    setting = choose(plan, file, table, scale, data, data_root, work_dir, options or {})
    if setting.recipe(row) is None:
        raise UserError(f'--row {row_name}: it has no config at --scale {scale}, only at {", ".join(row.configs)}')
    require_writable(setting.run_folders.folder, '--work-dir')
    if not means.any_data:
        draw(setting.data, setting.root, means.say)
    about_data = examine(setting.data, setting.root, means.any_data, means.say)
    runs = setting.runs(table, row, seeds, annotated=True)
    failed = work(setting, runs, means)
    if failed:
        logs = ', '.join(str(run.folder / 'run.log') for run in failed)
        raise UserError(f'{len(failed)} trainings failed: see {logs}')
    return _write(setting, name, table, row, runs, about_data, means)


def find_row(table: Table, name: str, row_name: str) -> Row:
    """The trained row of a name.

    Raises:
        UserError: If there is none, or it is only quoted.
    """
    rows = {row.slug: row for row in table.rows}
    row = next((row for row in table.rows if row.name == row_name), None) or rows.get(row_name.lower())
    if row is None:
        raise UserError(f'--row {row_name}: {name} has only {", ".join(rows)}')
    if row.quoted:
        raise UserError(
            f'--row {row_name}: {row.name} is quoted from the paper, this project cannot train it; choose '
            f'one of {", ".join(slug for slug, each in rows.items() if not each.quoted)}'
        )
    return row


def _write(
    setting: Setting, name: str, table: Table, row: Row, runs: list[Run], about_data: dict[str, Any], means: Means
) -> Path:
    """Publish the checkpoints and write the row."""
    home = runs[0].folder.parent
    record = dict(
        table=name,
        row=row.name,
        scale=setting.scale_name,
        data_set=setting.data_name,
        data=about_data,
        config=runs[0].config,
        overrides={key: value for key, value in runs[0].overrides.items() if key != 'randomness.seed'},
        fingerprint=home.name.rpartition('-')[2],
        gpus=means.gpus,
        metric=runs[0].metric,
        percent=table.percent,
        paper={runs[0].metric.rpartition('/')[2]: row.paper, **row.figures},
        read=row.read or table.read,
        columns={runs[0].metric.rpartition('/')[2]: runs[0].metric, **table.columns},
        scored=setting.scale_name not in table.unscored,
        complexity=_complexity(runs[0]),
        seeds=[dict(seed=seed, published=_publish(run), **_told(run)) for seed, run in enumerate(runs)],
    )
    with atomic_write(home / 'row.json', 'w') as file:
        json.dump(record, file, indent=2)
    with atomic_write(home / 'row.md', 'w') as file:
        file.write(row_markdown(record))
    return home / 'row.md'


def _told(run: Run) -> dict[str, Any]:
    """What the record of a run says, without what the row says of all."""
    record = run.finished_record()
    told = {key: value for key, value in record.items() if key not in ('config', 'overrides', 'name')}
    return {**told, **(dict(submission=str(run.submission)) if run.test_dev else {})}


def _complexity(run: Run) -> dict[str, float]:
    """Parameters in millions and billions of multiply-adds of the deployed pass, by the papers' names for them."""
    counts = complexity(load_config(run.config, _model_options(run)))['inference']
    return dict(params=counts['params'] / 1e6, GFLOPs=counts['macs_published'] / 1e9)


def _model_options(run: Run) -> dict[str, Any]:
    return {key: value for key, value in run.overrides.items() if key.startswith('model.')}


def _publish(run: Run) -> str:
    """Publish the checkpoint of a run with the metrics of its evaluation; returns the file."""
    metrics = run.finished_record()['evaluation']['file']
    folder = run.folder / 'published'
    folder.mkdir(exist_ok=True)
    file = publish(
        run.config, str(run.checkpoint), str(folder) + os.sep, metrics=metrics, cfg_options=_model_options(run)
    ).file
    for older in folder.glob('*.pth'):  # of an earlier start: the metadata hold the time
        if older != file:
            older.unlink()
    return str(file)
