"""Draws scenes in several processes; who draws what does not change a byte."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from sdpose.errors import DataError
from sdpose.io.processes import in_processes

from .request import SPLITS, Request
from .scene.scene import draw_scene
from .styles import STYLES
from .styles.base import Described, Picture

Job = tuple[str, int]
Drawn = tuple[str, Described]
_ID_OFFSET = dict(train=0, val=1_000_000)


def jobs(request: Request) -> list[Job]:
    """Every picture of a request as (split, index)."""
    return [(split, index) for split in SPLITS for index in range(request.count(split))]


def draw_one(request: Request, folder: Path, job: Job) -> Drawn:
    """Draws and stores one picture.

    Returns:
        Its split, and its entries in the style that is asked for.
    """
    split, index = job
    style = STYLES[request.style]
    scene = draw_scene(request.level, request.size, request.seed, SPLITS.index(split), index, labelled=style.joints)
    image_id = _ID_OFFSET[split] + index + 1
    picture = Picture(image_id, f'{image_id:012d}.jpg', request.size)
    (folder / style.folders[split] / picture.file_name).write_bytes(scene.jpeg())
    return split, style.describe(picture, scene.annotations)


def draw_all(request: Request, folder: Path, workers: int) -> Iterator[Drawn]:
    """Draws every picture of a request, in any order.

    Raises:
        DataError: If a picture cannot be stored, or a worker dies.
    """
    try:
        yield from in_processes(partial(draw_one, request, folder), jobs(request), workers)
    except OSError as error:
        raise DataError(f'a picture could not be stored: {error}') from error
