"""Draws scenes in several processes; who draws what does not change a byte."""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import cv2

from sdpose.errors import DataError

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


def _serve(request: Request, folder: Path, share: list[Job], parent: int, out: Connection) -> None:
    """A worker: draws its share, reports each picture, and ends when the process that started it is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        for job in share:
            if os.getppid() != parent:
                return
            out.send(draw_one(request, folder, job))
    except OSError as error:
        out.send(str(error))
    out.close()


def draw_all(request: Request, folder: Path, workers: int) -> Iterator[Drawn]:
    """Draws every picture of a request, in any order.

    Raises:
        DataError: If a picture cannot be stored, or a worker dies.
    """
    # Before the fork: a child can neither use nor dissolve the thread pool that its parent's OpenCV has started.
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield from _draw_all(request, folder, workers)
    finally:
        cv2.setNumThreads(threads)


def _draw_all(request: Request, folder: Path, workers: int) -> Iterator[Drawn]:
    todo = jobs(request)
    if workers <= 1:
        for job in todo:
            yield draw_one(request, folder, job)
        return
    context = multiprocessing.get_context('fork' if 'fork' in multiprocessing.get_all_start_methods() else None)
    running: dict[Connection, Any] = {}
    try:
        for number in range(min(workers, len(todo))):
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(
                target=_serve, args=(request, folder, todo[number::workers], os.getpid(), theirs), daemon=True
            )
            process.start()
            theirs.close()
            running[ours] = process
        yield from _collect(running)
    finally:
        for process in running.values():
            process.terminate()
            process.join()


def _collect(running: dict[Connection, Any]) -> Iterator[Drawn]:
    """Messages of all workers until each has closed its end."""
    open_ends = dict(running)
    while open_ends:
        for end in wait(list(open_ends)):
            assert isinstance(end, Connection)
            try:
                message = end.recv()
            except EOFError:
                process = open_ends.pop(end)
                process.join()
                if process.exitcode != 0:
                    raise DataError(
                        f'a drawing process died with exit status {process.exitcode} (out of memory?); '
                        'nothing was written, try fewer --workers'
                    ) from None
                continue
            if isinstance(message, str):
                raise DataError(f'a picture could not be stored: {message}')
            yield message
