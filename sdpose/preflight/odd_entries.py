"""Entries of a COCO-style file that its class takes in silence, though they cannot mean what it makes of them."""

from pathlib import Path

import numpy as np

from sdpose.errors import DataError

from .entries import Entries

# An area may be estimated; one that is so many times the box is none.
_LARGE = 4


def check_crowds(ann_file: str | Path, entries: Entries, evaluated: bool) -> None:
    """Check that marks of crowds are numbers: a text counts as one whatever it says, and an evaluation fails on None.

    Raises:
        DataError: Naming the first annotation.
    """
    for ann in entries.annotations_to_ask():
        mark = ann.get('iscrowd', 0)
        if isinstance(mark, (int, float)) or mark is None and not (evaluated and 'iscrowd' in ann):
            continue
        raise DataError(
            f'{ann_file}: annotation id {ann.get("id")} has iscrowd {mark!r}: it must be 0 or 1, a number, or '
            'be left out'
        )


def remarks_on_entries(ann_file: str | Path, entries: Entries) -> list[str]:
    """What is odd about a file's images and flags of visibility, one sentence each."""
    remarks = []
    first: dict[str, int] = {}
    twice = []
    for place, name in enumerate(entries.names):
        if first.setdefault(name, place) != place:
            twice.append(place)
    if twice:
        name, ids = entries.names[twice[0]], entries.image_ids
        remarks.append(
            f'{ann_file}: {len(twice)} images have the file of another entry (first: ids {ids[first[name]]} and '
            f'{ids[twice[0]]}, {name}): one picture counts as several, each with people of its own'
        )
    high = entries.flags > 2
    if high.any():
        remarks.append(
            f'{ann_file}: {high.sum()} of {entries.people.sum()} annotations have a joint whose visibility is above 2 '
            f'(first: id {entries.ids[high.argmax()]}): it is taken as labelled; 0, 1 and 2 are the values'
        )
    return remarks


def remarks_on_areas(ann_file: str | Path, entries: Entries) -> list[str]:
    """What is odd about areas that an evaluation divides by."""
    sizes = np.prod(entries.boxes[:, 2:], axis=1)
    large = entries.labelled & (sizes > 0) & (entries.areas > _LARGE * sizes)
    if not large.any():
        return []
    return [
        f'{ann_file}: {large.sum()} of {entries.labelled.sum()} annotations have an area of more than {_LARGE} times '
        f'their box (first: id {entries.ids[large.argmax()]}): OKS divides by it, so that predictions far away count '
        'as right; it is at most width times height'
    ]
