"""A benchmark's result: rows of numbers with what they were measured on, as text, Markdown or JSON."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Table(NamedTuple):
    """One table of a benchmark.

    Attributes:
        title: What is compared.
        columns: Keys of a row, in order, which are the headings too.
        rows: Numbers and text by column; a missing one is left blank.
        notes: Method and machine: a sentence each, printed below.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Mapping[str, Any]]
    notes: Sequence[str] = ()

    def markdown(self) -> str:
        """The table as Markdown, which reads well in a terminal, too: cells of a column are equally wide."""
        cells = [list(self.columns)] + [[_cell(row.get(name)) for name in self.columns] for row in self.rows]
        widths = [max(map(len, column)) for column in zip(*cells)]
        lines = ['| ' + ' | '.join(text.ljust(width) for text, width in zip(row, widths)) + ' |' for row in cells]
        lines.insert(1, '|' + '|'.join('-' * (width + 2) for width in widths) + '|')
        return '\n'.join([f'**{self.title}**', '', *lines, '', *(f'- {note}' for note in self.notes), ''])

    def as_json(self) -> dict[str, Any]:
        """The table as plain values, every digit kept."""
        return {'title': self.title, 'rows': [dict(row) for row in self.rows], 'notes': list(self.notes)}


def _cell(value: Any) -> str:
    """Numbers with three digits that mean something, text as it is."""
    if value is None:
        return ''
    if isinstance(value, float):
        return f'{value:.0f}' if abs(value) >= 100 else f'{value:.3g}'
    return str(value)
