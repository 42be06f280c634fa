#!/usr/bin/env python
"""Shows what is installed, what of it is broken or in conflict, and how to cure it.

Exit status 1 if anything is broken. Standard library only: it must run when nothing else does.
"""

from __future__ import annotations  # so that an old Python gets as far as being told so

import sys
import textwrap

from parts import Row, all_rows

WIDTH = 100


def render(rows: list[Row]) -> str:
    """The table, and below it the cures, in lines of at most 100 characters."""
    columns = [[getattr(row, key) for row in rows] for key in ('name', 'found', 'wanted', 'state')]
    widths = [
        min(24, max(len(text) for text in [title, *column]))
        for title, column in zip(('part', 'found', 'wanted', 'state'), columns)
    ]
    room = WIDTH - sum(widths) - 2 * len(widths)

    def line(*cells: str) -> str:
        cut = [
            textwrap.shorten(cell, width, placeholder='…') if len(cell) > width else cell.ljust(width)
            for cell, width in zip(cells, [*widths, room])
        ]
        return '  '.join(cut).rstrip()

    lines = [line('part', 'found', 'wanted', 'state', 'remark'), '-' * WIDTH]
    lines += [line(row.name, row.found, row.wanted, row.state, row.remark) for row in rows]
    return '\n'.join(lines + cures(rows))


def cures(rows: list[Row]) -> list[str]:
    """What to do about each broken part; parts with the same trouble and cure are named together."""
    together: dict[tuple, list[str]] = {}
    for row in rows:
        if row.state == 'BROKEN':
            together.setdefault((row.remark or 'unfit', row.cure), []).append(row.name)
    lines = []
    for (remark, cure), names in together.items():
        lines += [
            '',
            *textwrap.wrap(f'{", ".join(names)}: {remark}', WIDTH),
            *textwrap.wrap(f'cure: {cure}', WIDTH, initial_indent='  ', subsequent_indent='        '),
        ]
    return lines


def main(arguments: list[str] | None = None) -> int:
    """Print the table; 1 if something is broken."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments:
        print(
            __doc__ if arguments[0] in ('-h', '--help') else f'error: doctor.py takes no argument, not {arguments[0]}'
        )
        return 0 if arguments[0] in ('-h', '--help') else 2
    rows = all_rows()
    broken = [row.name for row in rows if row.state == 'BROKEN']
    print(render(rows))
    print(f'\n{len(broken)} broken.' if broken else '\nEverything that is needed works.')
    return 1 if broken else 0


if __name__ == '__main__':
    sys.exit(main())
