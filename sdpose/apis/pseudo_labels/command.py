"""Labelling by the names that a command line has."""

from pathlib import Path
from typing import Any

from sdpose.apis.inference.person_finder import PersonFinder
from sdpose.converters.annotations.joint_names import COCO_JOINTS, read_names
from sdpose.errors import UserError
from sdpose.io.digest import sha256_of
from sdpose.io.progress import Report

from .blaze_pose import BlazePose
from .label import Labelled, check_request, label


def label_by_name(
    input: str,
    out: str,
    teacher: str = 'mediapipe',
    tiles: int = 1,
    joints: str | None = None,
    progress: Report = lambda done, total, note='': None,
    **options: Any,
) -> dict[str, Labelled]:
    """:func:`label` with a teacher by its name.

    Args:
        input: A video, a folder or a pattern.
        out: The folder to make.
        teacher: ``'mediapipe'``, or ``'mediapipe=FILE'`` with the wheel of mediapipe 0.10.21.
        tiles: As of :class:`sdpose.apis.inference.person_finder.PersonFinder`.
        joints: Names of the joints, separated by commas, or a file with one in a line; None for COCO's 17.
        progress: As of :func:`label`.
        **options: As of :func:`label`.

    Raises:
        UserError: If there is no such teacher, or as of :func:`label`.
    """
    name, _, file = teacher.partition('=')
    if name != 'mediapipe':
        raise UserError(f'no teacher is called {name!r}: name mediapipe, or mediapipe=WHEEL')
    if tiles < 1:
        raise UserError(f'--tiles {tiles}: give at least 1')
    names = read_names(joints) if joints is not None else COCO_JOINTS
    check_request(out, names, BlazePose.names, **options)
    model = BlazePose(file or None)
    origin = dict(teacher='MediaPipe BlazePose, full', tiles=tiles)
    if file:
        origin.update(file=Path(file).name, sha256=sha256_of(file))
    return label(input, out, model, PersonFinder(file or None, tiles), names, origin, progress=progress, **options)
