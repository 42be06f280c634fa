"""What COCO's evaluation reads of an annotation file, beside what a data set does."""

import reprlib
from pathlib import Path
from typing import Any

import numpy as np

from sdpose.datasets.joint_box import AREA
from sdpose.errors import DataError
from sdpose.io.annotation_store import PARTS

from . import coco_fields
from .coco_fields import is_number
from .entries import Entries
from .odd_entries import remarks_on_areas
from .results import PERSON

_ESTIMATE = (
    f"write the person's area in pixels, or {AREA} times width times height of the box, which MMPose takes for a "
    'person without one, or evaluate with use_area=False in CocoMetric'
)


def check_evaluated(
    file: str | Path,
    entries: Entries,
    use_area: bool = True,
    crowd: bool = False,
    detected: bool = False,
    parts: bool = False,
) -> list[str]:
    """Check that people can be matched with predictions.

    Args:
        file: The annotation file, for messages.
        entries: What it holds.
        use_area: The option of ``CocoMetric``.
        crowd: Whether CrowdPose's evaluation reads it.
        parts: Whether COCO-WholeBody's evaluation reads it, which has a field for the joints of each part.
        detected: Whether predictions come from a detector's boxes, whose category is 1.

    Returns:
        Remarks on people who cannot be matched, where there are others.

    Raises:
        DataError: If something is missing, or nobody can be matched.
    """
    people = entries.people
    if parts:
        everybody = entries.people_to_ask(np.zeros_like(people))
        cure = 'complete it, or evaluate with CocoMetric'
        coco_fields.check_entries(file, 'annotation', everybody, tuple(PARTS), cure)
    nested = people & entries.nested
    if nested.any():
        raise DataError(
            f'{file}: {nested.sum()} of {people.sum()} annotations have a list for each joint in keypoints (first: id '
            f"{entries.ids[nested.argmax()]}), which COCO's evaluation misreads: write one list of x, y, visibility of "
            'joint after joint'
        )
    remarks = _check_categories(file, entries, detected)
    negative = people & (entries.ids < 0).astype(bool)
    if negative.any():
        raise DataError(
            f'{file}: {negative.sum()} of {people.sum()} annotations have a negative id (first: '
            f"{entries.ids[negative.argmax()]}): COCO's evaluation takes whoever is matched with them for a false "
            'alarm; number them from 1'
        )
    if use_area:
        remarks += _check_areas(file, entries)
        remarks += remarks_on_areas(file, entries)
    if crowd:
        coco_fields.check_crowd(file, entries.images_to_ask(), entries.people_to_ask(entries.counted >= 0))
    return remarks


def _check_categories(file: str | Path, entries: Entries, detected: bool) -> list[str]:
    """Check that the file lists the categories of its people: others are passed over."""
    if 'categories' not in entries.head:
        raise DataError(
            f'{file} has no categories, which the evaluation reads: add "categories": [{{"id": 1, "name": "person"}}]'
        )
    categories = entries.head['categories']
    if not isinstance(categories, list) or not all(isinstance(each, dict) and 'id' in each for each in categories):
        raise DataError(f'{file}: categories must be a list of objects with an id, is {reprlib.repr(categories)}')
    listed = [category['id'] for category in categories]
    labelled = entries.labelled
    passed_over = labelled & ~_is_of_kind(entries, listed)
    if passed_over.any():
        first = passed_over.argmax()
        words = (
            f'{file}: {passed_over.sum()} of {labelled.sum()} labelled people have a category that the file does not '
            f'list (first: annotation id {entries.ids[first]}, category_id {entries.kinds[entries.categories[first]]}; '
            f'listed: {", ".join(map(str, listed)) or "none"}), so that the evaluation passes over them: correct '
            'category_id, or list the category'
        )
        if passed_over.sum() == labelled.sum():
            raise DataError(words)
        return [words]
    if detected and labelled.any() and not (labelled & _is_of_kind(entries, [PERSON])).any():
        raise DataError(
            f'{file}: its people have category_id {entries.kinds[entries.categories[labelled.argmax()]]}, and '
            f"predictions from a detector's boxes have {PERSON}, so that nobody could be matched: give people "
            f'category_id {PERSON}, in categories too'
        )
    return []


def _is_of_kind(entries: Entries, listed: list[Any]) -> np.ndarray:
    """(N,) Whether an annotation's category is among some."""
    return np.isin(entries.categories, [place for place, kind in enumerate(entries.kinds) if kind in listed])


def _check_areas(file: str | Path, entries: Entries) -> list[str]:
    """Check the areas that OKS divides by."""
    areas, labelled = entries.areas, entries.labelled
    people = entries.people_to_ask(abs(areas) < coco_fields.HUGE)
    coco_fields.check_entries(
        file, 'annotation', people, ('area',), f"add it (OKS is relative to the person's area): {_ESTIMATE}"
    )
    for place, ann in enumerate(people):
        if not is_number(ann['area']):
            coco_fields.refuse(file, place, ann, f'area must be a finite number, is {reprlib.repr(ann["area"])}')
    large_box = np.prod(entries.boxes[:, 2:], axis=1) > 100
    for among, what, refused in (
        (areas < 0, 'an area below 0', True),
        (areas == 0, 'the area 0', False),
        ((0 < areas) & (areas < 1) & large_box, 'an area below 1 in a larger box', False),
    ):
        found = labelled & among
        if found.any():
            words = (
                f'{file}: {found.sum()} of {labelled.sum()} labelled people have {what} (first: annotation id '
                f'{entries.ids[found.argmax()]}); OKS divides by it, so that hardly a prediction matches them: '
                f'{_ESTIMATE}'
            )
            if refused or found.sum() == labelled.sum():
                raise DataError(words)
            return [words]
    return []
