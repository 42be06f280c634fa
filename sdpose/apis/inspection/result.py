"""What a look inside returns: a figure, and the numbers that it shows."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from sdpose.io.atomic import atomic_write
from sdpose.visualization.figures.base import write_figure


@dataclass
class Inspection:
    """A figure with its numbers.

    Attributes:
        figure: Of Matplotlib; a notebook shows it as it is.
        summary: What is to be seen, in one line.
        arrays: The numbers by name; each function says their shapes.
        table: The same in rows, where a table is easier to read.
    """

    figure: Figure
    summary: str
    arrays: Mapping[str, np.ndarray]
    table: Sequence[Mapping[str, Any]] = field(default_factory=tuple)

    def save(self, stem: str | Path) -> list[Path]:
        """Write ``stem.png``, ``stem.npz`` and, where there is a table, ``stem.csv``; each whole or not at all.

        Args:
            stem: The path without its ending; missing folders are made.

        Raises:
            OSError: If a file cannot be written; its ``filename`` is the file.
        """
        files = [Path(f'{stem}.png'), Path(f'{stem}.npz')]
        write_figure(self.figure, files[0])
        with atomic_write(files[1]) as file:
            np.savez_compressed(file, **dict[str, Any](self.arrays))
        if self.table:
            files.append(Path(f'{stem}.csv'))
            with atomic_write(files[2], 'w') as file:
                writer = csv.DictWriter(file, list(self.table[0]), lineterminator='\n')
                writer.writeheader()
                writer.writerows(self.table)
        return files
