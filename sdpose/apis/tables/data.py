"""The data of a setting: drawn where they are drawn, compared with what is known where they are everybody's."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sdpose.errors import DataError
from sdpose.io.progress import show_progress
from sdpose.synthetic.generate import generate
from sdpose.synthetic.request import Request, parse_size
from sdpose.synthetic.shapes.generate import ShapesRequest, generate_shapes

from .known_data import compare
from .plan import DataSet


def draw(data: DataSet, root: str, say: Callable[[str], None]) -> None:
    """Draw the set of a scale where it is not there yet; nothing where it is none that is drawn.

    Raises:
        UserError: If the folder holds something else.
    """
    try:
        if data.shapes is not None:
            drawn = _draw_shapes(data.shapes, Path(root))
        elif data.draw is not None:
            drawn = _draw_people(data.draw, Path(root))
        else:
            return
    except DataError as error:
        raise DataError(
            f'{root} is not the set that is asked for: --data-root names another folder, --any-data takes '
            f'this one ({error})'
        ) from error
    say(f'{root}: {"drawn" if drawn else "already there"}')


def _draw_shapes(arguments: dict[str, Any], root: Path) -> bool:
    request = ShapesRequest(**{**arguments, 'size': parse_size(arguments['size'])})
    with show_progress('drawing shapes') as progress:
        return generate_shapes(root, request, False, progress)


def _draw_people(arguments: dict[str, Any], root: Path) -> bool:
    request = Request(**{**arguments, 'size': parse_size(arguments['size'])})
    with show_progress('drawing people') as progress:
        return generate(root, request, len(os.sched_getaffinity(0)), False, progress)


def examine(data: DataSet, root: str, any_data: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """Compare a data set with what is known about it.

    Args:
        data: The data set.
        root: Its folder.
        any_data: Take other data, too, and say how they differ.
        say: Receives one line.

    Returns:
        ``files``, what was found, and ``differs``, phrases about what is not as known; of a drawn set, ``drawn`` with
        its arguments.

    Raises:
        DataError: If the data are missing, or differ and may not.
    """
    if not data.known and any_data:
        return dict(differs=['taken as they are'])
    if not data.known:
        return dict(drawn=data.draw or data.shapes, differs=[])
    missing = [name for name in data.known if not (Path(root) / name).exists()]
    if missing:
        raise DataError(f'{root} lacks {", ".join(missing)}; --data-root names another folder')
    files, differences = compare(root, data.known)
    if differences and not any_data:
        raise DataError(
            f'{root} does not hold the known data: {"; ".join(differences)} (--any-data takes them as they '
            'are, and the row says so)'
        )
    say(f'{root}: ' + ('; '.join(differences) if differences else 'the known data'))
    return dict(files=files, differs=differences)
