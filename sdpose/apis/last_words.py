"""What the processes of a distributed run leave for their launcher, which has the last word."""

import json
import os
from pathlib import Path
from typing import Any

from sdpose.io.atomic import atomic_write

# Named by tools/misc/launch.py, which reads the files.
_FOLDER = 'SDPOSE_LAST_WORDS'


def begin() -> None:
    """Leave a file that says that this process has begun, if a launcher asks for it."""
    leave('begun', 0, '')


def leave(kind: str, status: int, line: str, lost: bool = False) -> None:
    """Leave how this process ended.

    Args:
        kind: ``'error'`` that a user can cure, ``'stopped'`` by a signal, or ``'defect'``.
        status: The exit status.
        line: What it said.
        lost: Whether it only lost the others, one of which may know why.
    """
    folder = os.environ.get(_FOLDER)
    if not folder or not os.path.isdir(folder):
        return
    restart, rank = (int(os.environ.get(name, 0)) for name in ('TORCHELASTIC_RESTART_COUNT', 'RANK'))
    content: dict[str, Any] = dict(kind=kind, status=status, line=line, lost=lost)
    with atomic_write(Path(folder) / f'{restart}-{rank}.json', 'w') as file:
        json.dump(content, file)
