"""One scale on one data set: where the runs of a table's rows come from."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sdpose.errors import UserError

from .plan import DataSet, Plan, Row, Scale, Table
from .run import Run, RunFolders, make_runs


@dataclass(frozen=True)
class Setting:
    """One scale on one data set.

    Attributes:
        plan: The file of tables.
        scale_name, data_name: Names in the plan.
        root: Folder of the data, with a slash at its end.
        run_folders: Where the runs lie.
        options: Config keys of every row, from the command line.
    """

    plan: Plan
    scale_name: str
    data_name: str
    root: str
    run_folders: RunFolders
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def scale(self) -> Scale:
        """The scale."""
        return self.plan.scales[self.scale_name]

    @property
    def data(self) -> DataSet:
        """The data set."""
        return self.scale.data[self.data_name]

    def runs(self, table: Table, row: Row, seeds: int, annotated: bool = False) -> list[Run]:
        """The runs of a row, one per seed; none if it is not trained at this scale.

        Args:
            table: The table.
            row: One of its rows.
            seeds: Seeds 0 to seeds - 1.
            annotated: Evaluate on annotated boxes, too.
        """
        recipe = self.recipe(row)
        if recipe is None:
            return []
        config, overrides = recipe
        measure: dict[str, Any] = dict(metric=table.metric or self.plan.metric, percent=table.percent)
        teacher = self._teacher(row, measure)
        if teacher:
            overrides = {**overrides, 'model.distiller.checkpoint': str(teacher.checkpoint)}
        return make_runs(
            config,
            {**overrides, **self.options},
            seeds,
            self.run_folders,
            row.name,
            annotated=annotated,
            test_dev=self.scale_name in table.unscored,
            teacher=teacher,
            **measure,
        )

    def recipe(self, row: Row) -> tuple[str, dict[str, Any]] | None:
        """The config of a row and its overrides; None if it is not trained at this scale."""
        if row.quoted or (row.configs and self.scale_name not in row.configs):
            return None
        own = row.changes.get(self.scale_name, {})
        if row.configs:
            return row.configs[self.scale_name], {'data_root': self.root, **own, **row.overrides, **self._moved()}
        return self.scale.config, {
            'data_root': self.root,
            **self.scale.overrides,
            'model.neck.depth': self.scale.layers[row.depth],
            **own,
            **row.overrides,
            **self._moved(),
        }

    def _teacher(self, row: Row, measure: dict[str, Any]) -> Run | None:
        """The run of a row's teacher: one for all seeds, without what is said about the student's model."""
        if self.scale_name not in row.teachers:
            return None
        options = {key: value for key, value in self.options.items() if not key.startswith('model.')}
        overrides = {'data_root': self.root, **self._moved(), **options}
        config, name = row.teachers[self.scale_name], f'teacher of {row.name}'
        return make_runs(config, overrides, 1, self.run_folders, name, **measure)[0]

    def _moved(self) -> dict[str, Any]:
        """The data set's overrides, in which files beside the data root, such as annotations, move with it."""
        before = self.data.root
        return {
            key: self.root + value[len(before) :] if isinstance(value, str) and value.startswith(before) else value
            for key, value in self.data.overrides.items()
        }


def choose(
    plan: Plan,
    file: str,
    table: Table,
    scale: str,
    data: str | None,
    data_root: str | None,
    work_dir: str,
    options: dict[str, Any],
) -> Setting:
    """The setting that the command line asks for.

    Args:
        plan: The file of tables.
        file: Its name.
        table: The table.
        scale: Name of the scale.
        data: Name of one of its data sets; None for the table's default there.
        data_root: Where the data are, if not where the file says.
        work_dir: Everything is written below ``work_dir/<scale>_<data>``.
        options: Config keys of every row.

    Raises:
        UserError: If there is no such scale or data set, or no row is trained at that scale.
    """
    chosen = pick('--scale', scale, plan.scales, file)
    if not any(not row.configs or scale in row.configs for row in table.rows if not row.quoted):
        known = sorted({name for row in table.rows for name in row.configs})
        raise UserError(f'--scale {scale}: the rows of "{table.title}" have configs for {", ".join(known)} only')
    data = data or table.data.get(scale) or next(iter(chosen.data))
    data_set = pick('--data', data, chosen.data, f'scale {scale}')
    root = os.path.join(data_root or data_set.root, '')
    return Setting(plan, scale, data, root, RunFolders(Path(work_dir) / f'{scale}_{data}'), options)


def pick(what: str, name: str, known: dict[str, Any], where: str) -> Any:
    """The item of a name.

    Raises:
        UserError: Naming what there is.
    """
    if name not in known:
        raise UserError(f'{what} {name}: {where} has only {", ".join(known)}')
    return known[name]
