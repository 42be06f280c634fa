"""Writes a synthetic set: all of it, or nothing."""

import json
import os
from collections.abc import Callable
from pathlib import Path

from sdpose.io.folders import atomic_folder, signals_unwind
from sdpose.io.pictures import read_picture, write_png
from sdpose.visualization import Skeleton, contact_sheet, draw_people

from .request import GENERATOR_VERSION, MANIFEST, SPLITS, Request, is_cached
from .styles import STYLES
from .styles.base import Described
from .workers import draw_all, jobs

SHEET = 'contact_sheet.png'
Progress = Callable[[int, int], None]


def generate(
    out: Path, request: Request, workers: int, overwrite: bool = False, progress: Progress = lambda done, total: None
) -> bool:
    """Draws a set into a folder: pictures, annotations in the files of its style, a contact sheet and a manifest.

    The set is drawn in a hidden folder beside ``out`` and renamed once complete, so an interruption leaves
    ``out`` as it was.

    Args:
        out: Folder to make.
        request: What to draw.
        workers: Number of processes; it has no influence on the files.
        overwrite: Whether a synthetic set in ``out`` may be replaced.
        progress: Called with the number of finished and of all pictures.

    Returns:
        False if the folder already held exactly this set.

    Raises:
        DataError: If ``out`` holds something else or cannot be written.
    """
    out = Path(os.path.abspath(out))
    if is_cached(out, request, overwrite):
        return False
    with signals_unwind(), atomic_folder(out) as folder:
        described: dict[str, list[Described]] = {split: [] for split in SPLITS}
        total = len(jobs(request))
        for name in set(STYLES[request.style].folders.values()):
            (folder / name).mkdir()
        for done, (split, entries) in enumerate(draw_all(request, folder, workers), 1):
            described[split].append(entries)
            progress(done, total)
        for group in described.values():
            group.sort(key=lambda item: item[0]['id'])
        _write_annotations(folder, request, described)
        _write_sheet(folder, request, described)
        (folder / MANIFEST).write_text(json.dumps(request.manifest(), indent=2) + '\n', encoding='utf-8')
    return True


def _write_annotations(folder: Path, request: Request, described: dict[str, list[Described]]) -> None:
    """The files of every split that has pictures."""
    (folder / 'annotations').mkdir()
    info = dict(
        description='Synthetic people drawn by SDPose; not photographs',
        version=str(GENERATOR_VERSION),
        seed=request.seed,
        level=request.level,
    )
    for split in SPLITS:
        if described[split]:
            STYLES[request.style].write(folder, split, info, described[split])


def _write_sheet(folder: Path, request: Request, described: dict[str, list[Described]], count: int = 12) -> None:
    """Pictures of the first split that has any, with their skeletons."""
    style = STYLES[request.style]
    split = next(split for split in SPLITS if request.count(split))
    pictures, skeleton = [], Skeleton.by_sides(style.limbs, style.sides)
    for image, persons in described[split][:count]:
        picture = read_picture(folder / style.folders[split] / image['file_name'])
        people = [style.drawable(person) for person in persons]
        pictures.append(draw_people(picture, people, skeleton, height=480))
    write_png(folder / SHEET, contact_sheet(pictures))
