"""Results of trainings that somebody ran, beside the paper's numbers: nothing is trained."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import Config

from sdpose.config.load import load_config
from sdpose.errors import UserError
from sdpose.io.folders import require_writable

from .plan import Plan, Row, Table
from .plan_file import read_plan
from .report import Outcome
from .row_report import of_cycle
from .run import RunFolders
from .run_table import outcome, write_report
from .setting import Setting, pick
from .work_folder import WorkFolder, read_work_folder

_NAMED = 6  # differing keys
_ABOUT = (
    "Collected from work folders. The heading is the table's; on what data and boxes each folder was tested is said at "
    'the end.'
)


class _Match(NamedTuple):
    """A row that a folder may be a training of."""

    row: Row
    differing: list[str]
    config: Config


class _Found(NamedTuple):
    """The result of a folder, for one row."""

    config: str
    record: dict[str, Any]
    folder: Path
    seed: int


def collect(
    file: str, name: str, folders: Sequence[str], say: Callable[[str], None], work_dir: str = 'work_dirs/tables'
) -> Path:
    """Report the results of work folders in a table.

    A folder belongs to the rows with its config's name and its model, at any scale; what else differs in the training
    is said. Several folders of one row are its seeds, and rows are compared where they have the same seed.

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
    if table.unscored:
        raise UserError(
            f"--collect: the numbers of {name} are from COCO's server, those of work folders are not; "
            'collect them in another table'
        )
    found: dict[str, list[_Found]] = {row.name: [] for row in table.rows}
    remarks = []
    for path in folders:
        folder = read_work_folder(path)
        matches = _matches(folder, plan, table, name)
        remarks.append(_remark(folder, matches, table, plan))
        say(remarks[-1])
        for match in matches:
            record = _record(folder, match, table.metric or plan.metric)
            found[match.row.name].append(_Found(folder.name, record, folder.path, _seed(folder)))
    seeds = _places([[item.seed for item in items] for items in found.values()])
    outcomes = [_outcome(table, row, found[row.name], seeds) for row in table.rows]
    report = Path(work_dir) / 'collected' / f'{name}.md'
    require_writable(report.parent, '--work-dir')
    return write_report(report, table, outcomes, _ABOUT, [f'- {text}' for text in remarks])


def _seed(folder: WorkFolder) -> int:
    """The seed of a training; -1 of one that was given none."""
    seed = (folder.config.get('randomness') or {}).get('seed')
    return -1 if seed is None else int(seed)


def _places(rows: Sequence[Sequence[int]]) -> list[int]:
    """The seeds of all rows, each as often as the row that has it most often, so that rows can be compared by them."""
    counts = [Counter(row) for row in rows]
    return [seed for seed in sorted(set().union(*counts)) for _ in range(max(count[seed] for count in counts))]


def _outcome(table: Table, row: Row, items: Sequence[_Found], seeds: Sequence[int]) -> Outcome:
    """What a row's folders say, by the seeds of all rows."""
    placed = _in_place(items, seeds)
    return outcome(
        table,
        row,
        [None if item is None else item.record for item in placed],
        ', '.join(dict.fromkeys(item.config for item in items)),
        [None if item is None else item.folder for item in placed],
        ['' if seed < 0 else str(seed) for seed in seeds],
    )


def _in_place(items: Sequence[_Found], seeds: Sequence[int]) -> list[_Found | None]:
    """The results of a row, one for each of the seeds, None where it lacks one."""
    left = list(items)
    placed: list[_Found | None] = []
    for seed in seeds:
        item = next((item for item in left if item.seed == seed), None)
        placed.append(item)
        if item is not None:
            left.remove(item)
    return placed


def _matches(folder: WorkFolder, plan: Plan, table: Table, name: str) -> list[_Match]:
    """The rows that a folder is a training of: those whose config has its name and model.

    Raises:
        UserError: If there are none.
    """
    known = [_Match(row, folder.differences(config), config) for row, config in _configs(folder.name, plan, table)]
    if not known:
        raise UserError(f'--collect {folder.path}: its config {folder.name} is that of no row of {name}')
    same = [match for match in known if not any(map(_is_model, match.differing))]
    if not same:
        closest = min(known, key=lambda match: len(match.differing))
        raise UserError(
            f'--collect {folder.path}: its model is that of no row of {name}; it differs from '
            f'{closest.row.name} in {_some(list(filter(_is_model, closest.differing)))}'
        )
    return same


def _configs(name: str, plan: Plan, table: Table) -> Iterator[tuple[Row, Config]]:
    """The rows whose config has a name, each with its config, at every scale."""
    for scale_name, scale in plan.scales.items():
        data_name = table.data.get(scale_name) or next(iter(scale.data))
        setting = Setting(plan, scale_name, data_name, scale.data[data_name].root, RunFolders(Path()))
        for row in table.rows:
            recipe = setting.recipe(row)
            if recipe and Path(recipe[0]).stem == name:
                yield row, load_config(*recipe)


def _is_model(key: str) -> bool:
    """Whether a config key decides which model it is, and not how it is tested or what it starts from."""
    return key.startswith('model.') and not key.startswith('model.test_cfg') and 'init_cfg' not in key


def _record(folder: WorkFolder, match: _Match, metric: str) -> dict[str, Any]:
    """What a folder's test says, as :meth:`sdpose.apis.tables.run.Run.record` has it.

    Raises:
        UserError: If it is on annotated boxes alone where the row's is on a detector's, or lacks the metric.
    """
    if folder.evaluation is None and match.config.test_dataloader.dataset.get('bbox_file'):
        raise UserError(
            f'--collect {folder.path}: it was tested on annotated boxes alone, and {match.row.name} stands '
            "for the detector's; test it without --gt-bbox"
        )
    evaluation = folder.test
    metrics = evaluation['metrics']
    cycles = {
        int(key.removeprefix('cycle').partition('/')[0]): value
        for key, value in metrics.items()
        if key.startswith('cycle') and key.partition('/')[2] == metric
    }
    if not cycles and metric not in metrics:
        raise UserError(f'--collect {folder.path}: its test reports no {metric}, only {", ".join(metrics)}')
    return dict(metric=cycles or {1: metrics[metric]}, evaluation=evaluation)


def _remark(folder: WorkFolder, matches: Sequence[_Match], table: Table, plan: Plan) -> str:
    """One line about a folder: whose it is, on what it was measured, and what differs."""
    record = folder.test
    parts = [
        f'{folder.path}: {", ".join(match.row.name for match in matches)}',
        f'{Path(record["checkpoint"]).name} of {folder.name}',
        f'measured on {record.get("boxes") or record.get("images")}',
    ]
    if folder.evaluation and folder.annotated:
        metric = table.metric or plan.metric
        both = dict(metric={1: 0.0}, annotated=folder.annotated)
        value = of_cycle(both, metric, 'first', 'annotated')
        parts.append(f'{metric} {"-" if value is None else f"{100 * value:.1f}"} on annotated boxes')
    if matches[0].differing:
        parts.append(f'trained differently from the row in {_some(matches[0].differing)}')
    return '; '.join(parts)


def _some(keys: Sequence[str]) -> str:
    more = f' and {len(keys) - _NAMED} more' if len(keys) > _NAMED else ''
    return ', '.join(keys[:_NAMED]) + more
