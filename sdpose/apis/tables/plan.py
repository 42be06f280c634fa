"""What a table of experiments consists of: trained and quoted rows, at one of several scales; see ``plan_file``."""

import re
from dataclasses import dataclass, field
from typing import Any

READS = ('first', 'last')
DEPTHS = ('deep', 'shallow')


def slug(name: str) -> str:
    """A name in small letters, digits and hyphens."""
    return re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')


@dataclass(frozen=True)
class Row:
    """One training, or numbers of another method.

    Attributes:
        name: What the report calls it.
        paper: The published value in per cent, if there is one.
        figures: Other published numbers by the column they stand in.
        quoted: Whether the row only quotes the paper.
        configs: Config by scale; a row without any overrides the scale's config.
        changes: By scale, keys of the config that the row has there, and their values.
        teachers: By scale, the config of a teacher that is trained first.
        depth: One of ``DEPTHS``, for a row that overrides the scale's config.
        overrides: Config keys and their values.
        read: The cycle that counts, if it is another than the table's.
    """

    name: str
    paper: float | None = None
    figures: dict[str, float] = field(default_factory=dict)
    quoted: bool = False
    configs: dict[str, str] = field(default_factory=dict)
    changes: dict[str, dict[str, Any]] = field(default_factory=dict)
    teachers: dict[str, str] = field(default_factory=dict)
    depth: str = 'deep'
    overrides: dict[str, Any] = field(default_factory=dict)
    read: str | None = None

    @property
    def slug(self) -> str:
        """The name as the command line and folders write it, ``sdpose-s-v1`` for ``SDPose-S-V1``."""
        return slug(self.name)


@dataclass(frozen=True)
class Table:
    """Rows that are compared.

    Attributes:
        title: Heading of the report.
        rows: The trainings, and what is quoted beside them.
        read: The cycle that counts, one of ``READS``.
        reference: Name of the row that the others are compared with, seed by seed; None for no such comparison.
        metric: Name of the metric that is compared; None for the plan's.
        percent: Whether the metrics are in per cent already, not fractions.
        columns: Metrics by the column whose published numbers they stand beside.
        data: By scale, the data set that is the default there.
        unscored: Scales at which the table is about COCO test-dev, whose labels only COCO's server has: results are
            written and not scored.
        note: What a reader must know about the published numbers; stands below the table.
    """

    title: str
    rows: tuple[Row, ...]
    read: str
    reference: str | None = None
    metric: str | None = None
    percent: bool = False
    columns: dict[str, str] = field(default_factory=dict)
    data: dict[str, str] = field(default_factory=dict)
    unscored: tuple[str, ...] = ()
    note: str = ''


@dataclass(frozen=True)
class DataSet:
    """Where a scale's data are.

    Attributes:
        root: Their folder.
        draw: Arguments of a drawn set, if it is one; see ``sdpose.synthetic.request.Request``.
        shapes: Likewise of drawn shapes; see ``sdpose.synthetic.shapes.generate.ShapesRequest``.
        known: What is known about the files of a real one, by their place in the folder; see ``known_data``.
        overrides: Config keys that this data set needs.
    """

    root: str
    draw: dict[str, Any] | None = None
    shapes: dict[str, Any] | None = None
    known: dict[str, dict[str, Any]] = field(default_factory=dict)
    overrides: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Scale:
    """How large the trainings are.

    Attributes:
        config: The config that rows without their own override.
        layers: Number of layers of each of ``DEPTHS``.
        data: Data sets by name; the first is the default.
        overrides: Config keys of every row that overrides ``config``.
        threads: Compute threads of one training; None leaves that to torch.
    """

    config: str
    layers: dict[str, int]
    data: dict[str, DataSet]
    overrides: dict[str, Any] = field(default_factory=dict)
    threads: int | None = None


@dataclass(frozen=True)
class Plan:
    """A file of tables.

    Attributes:
        tables, scales: By name.
        metric: Name of the metric that is compared where a table names none, a fraction.
    """

    tables: dict[str, Table]
    scales: dict[str, Scale]
    metric: str
