"""People whom MMPose's classes leave out although they look like people, and whether anybody remains."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from sdpose.errors import DataError

from .entries import Entries


def box_faults(boxes: np.ndarray, sizes: np.ndarray) -> dict[str, np.ndarray]:
    """Why MMPose, which clips a box to 0 ... size - 1 and drops what has no extent then, leaves people out.

    Args:
        boxes: (P, 4) x, y, width, height.
        sizes: (P, 2) width and height of their images.

    Returns:
        For each fault, whether a box has it, (P,); it has one at most.
    """
    low, extent = boxes[:, :2], boxes[:, 2:]
    empty = (extent <= 0).any(axis=1)
    outside = ((low >= sizes - 1) | (low + extent <= 0)).any(axis=1)
    return {'of zero area': empty, 'outside their image': outside & ~empty}


def remarks_on_boxes(
    faults: dict[str, np.ndarray], name: Callable[[int], str], what: str, file: str | Path, fate: str
) -> list[str]:
    """Say what happens to boxes without content.

    Args:
        faults: Those of some boxes, by :func:`box_faults`.
        name: What a message calls a box by its place.
        what: ``'annotation'`` or ``'detection'``.
        file: Where they stand.
        fate: What becomes of them.
    """
    parts: list[str] = []
    for fault, having in faults.items():
        if having.any():
            subject = '' if parts else f' {what}(s)'
            parts.append(f'{having.sum()}{subject} have a box {fault} (first: {name(int(having.argmax()))})')
    return [f'{file}: {" and ".join(parts)}; they are {fate}'] if parts else []


def remarks_on_empty_boxes(ann_file: str | Path, entries: Entries) -> list[str]:
    """Annotated people with a box without content."""
    rows = np.flatnonzero(entries.used)
    return remarks_on_boxes(
        _faults_of(entries, rows),
        lambda place: f'id {entries.ids[rows[place]]}',
        'annotation',
        ann_file,
        'left out of training and of ground-truth boxes',
    )


def remarks_on_left_out(ann_file: str | Path, entries: Entries) -> list[str]:
    """Annotations that the class passes over although they look like people: by num_keypoints, or without any."""
    with_people = np.unique(entries.categories[entries.listing])
    labelled, zero = entries.labelled, entries.counted == 0
    remarks = []
    for found, what in (
        (~entries.people & np.isin(entries.categories, with_people), 'have no keypoints'),
        (labelled & zero, 'have num_keypoints 0 although joints are labelled'),
        (
            labelled & ~zero & ~_has_positive(entries),
            'have no joint with a coordinate above 0 although joints are labelled',
        ),
    ):
        if found.any():
            remarks.append(
                f'{ann_file}: {found.sum()} of {len(found)} annotations {what} (first: id '
                f'{entries.ids[found.argmax()]}); they are left out'
            )
    return remarks


def require_usable(ann_file: str | Path, entries: Entries, said: list[str]) -> None:
    """Check that somebody is left.

    Args:
        ann_file: The file, for the message.
        entries: What it holds.
        said: The remarks that were made before.

    Raises:
        DataError: If not.
    """
    rows = np.flatnonzero(entries.used & _has_positive(entries))
    faulty = np.any(list(_faults_of(entries, rows).values()), axis=0)
    if faulty.all():
        raise DataError(
            f'no usable person in {ann_file}: each of its {len(entries.ids)} annotations is a '
            'crowd, has no labelled key point, or has a box of zero area or outside its image: correct '
            f'the file, or name another one{"".join(f" ({remark})" for remark in said)}'
        )


def _faults_of(entries: Entries, rows: np.ndarray) -> dict[str, np.ndarray]:
    return box_faults(entries.boxes[rows], entries.sizes[entries.images[rows]])


def _has_positive(entries: Entries) -> np.ndarray:
    """(N,) Whether a joint lies elsewhere than in the upper left corner or beyond it, which MMPose asks for."""
    return entries.places > 0
