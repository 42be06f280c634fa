"""What COCO's evaluation reads of an annotation file, beside what a data set does."""

import reprlib
from pathlib import Path
from typing import Any

from sdpose.errors import DataError

from . import coco_fields
from .coco_fields import is_number
from .odd_entries import remarks_on_areas

PARTS = ('foot_kpts', 'face_kpts', 'lefthand_kpts', 'righthand_kpts')  # COCO-WholeBody's, beside keypoints
_PERSON = 1  # the category of a prediction from a detector's box
_ESTIMATE = (
    "write the person's area in pixels, or 0.53 times width times height of the box, which MMPose takes for a person "
    'without one, or evaluate with use_area=False in CocoMetric'
)


def check_evaluated(
    file: str | Path,
    content: dict[str, Any],
    use_area: bool = True,
    crowd: bool = False,
    detected: bool = False,
    parts: bool = False,
) -> list[str]:
    """Check that people can be matched with predictions.

    Args:
        file: The annotation file, for messages.
        content: What it holds; images and annotations have their ids, and these fit together.
        use_area: The option of ``CocoMetric``.
        crowd: Whether CrowdPose's evaluation reads it.
        parts: Whether COCO-WholeBody's evaluation reads it, which has a field for the joints of each part.
        detected: Whether predictions come from a detector's boxes, whose category is 1.

    Returns:
        Remarks on people who cannot be matched, where there are others.

    Raises:
        DataError: If something is missing, or nobody can be matched.
    """
    people = [ann for ann in content['annotations'] if 'keypoints' in ann]
    if parts:
        coco_fields.check_entries(file, 'annotation', people, PARTS, 'complete it, or evaluate with CocoMetric')
    nested = [ann for ann in people if isinstance(ann['keypoints'], list) and any(map(_is_list, ann['keypoints']))]
    if nested:
        raise DataError(
            f'{file}: {len(nested)} of {len(people)} annotations have a list for each joint in keypoints (first: id '
            f"{nested[0]['id']}), which COCO's evaluation misreads: write one list of x, y, visibility of joint after "
            'joint'
        )
    labelled = [ann for ann in people if not ann.get('iscrowd') and _is_labelled(ann)]
    remarks = _check_categories(file, content, labelled, detected)
    negative = [ann for ann in people if is_number(ann['id']) and ann['id'] < 0]
    if negative:
        raise DataError(
            f'{file}: {len(negative)} of {len(people)} annotations have a negative id (first: {negative[0]["id"]}): '
            "COCO's evaluation takes whoever is matched with them for a false alarm; number them from 1"
        )
    if use_area:
        remarks += _check_areas(file, people, labelled)
        remarks += remarks_on_areas(file, labelled)
    if crowd:
        coco_fields.check_crowd(file, content['images'], people)
    return remarks


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, dict))


def _is_labelled(ann: dict[str, Any]) -> bool:
    keypoints = ann['keypoints']
    return isinstance(keypoints, list) and any(is_number(flag) and flag > 0 for flag in keypoints[2::3])


def _check_categories(
    file: str | Path, content: dict[str, Any], labelled: list[dict[str, Any]], detected: bool
) -> list[str]:
    """Check that the file lists the categories of its people: others are passed over."""
    if 'categories' not in content:
        raise DataError(
            f'{file} has no categories, which the evaluation reads: add "categories": [{{"id": 1, "name": "person"}}]'
        )
    categories = content['categories']
    if not isinstance(categories, list) or not all(isinstance(each, dict) and 'id' in each for each in categories):
        raise DataError(f'{file}: categories must be a list of objects with an id, is {reprlib.repr(categories)}')
    listed = [category['id'] for category in categories]
    passed_over = [ann for ann in labelled if ann.get('category_id') not in listed]
    if passed_over:
        first = passed_over[0]
        words = (
            f'{file}: {len(passed_over)} of {len(labelled)} labelled people have a category that the file does not '
            'list '
            f'(first: annotation id {first["id"]}, category_id {first.get("category_id")}; listed: '
            f'{", ".join(map(str, listed)) or "none"}), so that the evaluation passes over them: correct category_id, '
            'or '
            'list the category'
        )
        if len(passed_over) == len(labelled):
            raise DataError(words)
        return [words]
    if detected and labelled and all(ann.get('category_id') != _PERSON for ann in labelled):
        raise DataError(
            f"{file}: its people have category_id {labelled[0].get('category_id')}, and predictions from a detector's "
            'boxes '
            f'have {_PERSON}, so that nobody could be matched: give people category_id {_PERSON}, in categories too'
        )
    return []


def _check_areas(file: str | Path, people: list[dict[str, Any]], labelled: list[dict[str, Any]]) -> list[str]:
    """Check the areas that OKS divides by."""
    coco_fields.check_entries(
        file, 'annotation', people, ('area',), f"add it (OKS is relative to the person's area): {_ESTIMATE}"
    )
    for place, ann in enumerate(people):
        if not is_number(ann['area']):
            coco_fields.refuse(file, place, ann, f'area must be a finite number, is {reprlib.repr(ann["area"])}')
    negative = [ann for ann in labelled if ann['area'] < 0]
    zero = [ann for ann in labelled if ann['area'] == 0]
    small = [ann for ann in labelled if 0 < ann['area'] < 1 and _box_area(ann) > 100]
    for found, what in (
        (negative, 'an area below 0'),
        (zero, 'the area 0'),
        (small, 'an area below 1 in a larger box'),
    ):
        if found:
            words = (
                f'{file}: {len(found)} of {len(labelled)} labelled people have {what} (first: annotation id '
                f'{found[0]["id"]}); OKS divides by it, so that hardly a prediction matches them: {_ESTIMATE}'
            )
            if found is negative or len(found) == len(labelled):
                raise DataError(words)
            return [words]
    return []


def _box_area(ann: dict[str, Any]) -> float:
    box = ann.get('bbox')
    return box[2] * box[3] if isinstance(box, list) and len(box) == 4 and all(map(is_number, box)) else 0
