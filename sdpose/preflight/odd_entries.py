"""Entries of a COCO-style file that its class takes in silence, though they cannot mean what it makes of them."""

from pathlib import Path
from typing import Any

from sdpose.errors import DataError

# An area may be estimated; one that is so many times the box is none.
_LARGE = 4


def check_crowds(ann_file: str | Path, annotations: list[dict[str, Any]], evaluated: bool) -> None:
    """Check that marks of crowds are numbers: a text counts as one whatever it says, and an evaluation fails on None.

    Raises:
        DataError: Naming the first annotation.
    """
    for ann in annotations:
        mark = ann.get('iscrowd', 0)
        if isinstance(mark, (int, float)) or mark is None and not (evaluated and 'iscrowd' in ann):
            continue
        raise DataError(
            f'{ann_file}: annotation id {ann.get("id")} has iscrowd {mark!r}: it must be 0 or 1, a number, or '
            'be left out'
        )


def remarks_on_entries(ann_file: str | Path, images: list[dict[str, Any]], people: list[dict[str, Any]]) -> list[str]:
    """What is odd about a file's images and flags of visibility, one sentence each."""
    remarks = []
    first: dict[str, Any] = {}
    twice = []
    for image in images:
        if first.setdefault(image['file_name'], image) is not image:
            twice.append((first[image['file_name']], image))
    if twice:
        one, other = twice[0]
        remarks.append(
            f'{ann_file}: {len(twice)} images have the file of another entry (first: ids {one["id"]} and '
            f'{other["id"]}, {other["file_name"]}): one picture counts as several, each with people of its own'
        )
    high = [ann for ann in people if any(flag > 2 for flag in (ann.get('keypoints') or ())[2::3])]
    if high:
        remarks.append(
            f'{ann_file}: {len(high)} of {len(people)} annotations have a joint whose visibility is above 2 (first: id '
            f'{high[0]["id"]}): it is taken as labelled; 0, 1 and 2 are the values'
        )
    return remarks


def remarks_on_areas(ann_file: str | Path, people: list[dict[str, Any]]) -> list[str]:
    """What is odd about areas that an evaluation divides by."""
    sizes = [(ann, ann['bbox'][2] * ann['bbox'][3]) for ann in people if ann.get('bbox')]
    large = [ann for ann, size in sizes if size > 0 and ann.get('area', 0) > _LARGE * size]
    if not large:
        return []
    return [
        f'{ann_file}: {len(large)} of {len(people)} annotations have an area of more than {_LARGE} times their box '
        f'(first: id {large[0]["id"]}): OKS divides by it, so that predictions far away count as right; it is at most '
        'width times height'
    ]
