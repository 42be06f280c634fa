"""Boxes and joints that stand in a file otherwise than COCO has them, all of them alike."""

from collections import Counter
from typing import Any

import numpy as np

from sdpose.io.annotation_store import from_content
from sdpose.preflight.coco_fields import all_finite, is_number, plain_name
from sdpose.preflight.consistency import are_fractions, ends_outside, inside, look_like_corners
from sdpose.preflight.people import People, people_of_rows

Entry = dict[str, Any]
_FEW = 0.1  # of all boxes


def repair_readings(
    content: Entry, people: list[Entry], images: dict[int, Entry], joints: list[str], done: Counter[str]
) -> bool:
    """Boxes as two corners or in fractions, joints in fractions or, by their names, in another order.

    Each is repaired only where it holds for everybody, which the rules of the checks before a run tell.

    Args:
        content: What the annotation file holds.
        people: Its annotations with key points.
        images: Its images by id.
        joints: Names of the joints in the metainfo's order.
        done: What was done, and how often.

    Returns:
        Whether boxes that end outside their images are few, which may be cut: many are in another unit.
    """
    _repair_order(content, people, joints, done)
    whole = [ann for ann in people if _is_whole(ann, images.get(ann['image_id'], {}), len(joints))]
    found = _as_arrays(content, whole)
    if found is None or not len(found):
        return True
    sizes = [[images[ann['image_id']][key] for key in ('width', 'height')] for ann in whole]
    if are_fractions(found.boxes).all():
        for ann, size in zip(whole, sizes, strict=True):
            ann['bbox'] = (np.array(ann['bbox']) * (*size, *size)).round(2).tolist()
        done['boxes in fractions of their image turned into pixels'] += len(whole)
    elif look_like_corners(found).any():
        for ann in whole:
            x, y, right, bottom = ann['bbox']
            ann['bbox'] = [x, y, right - x, bottom - y]
        done['boxes as two corners turned into x, y, width, height'] += len(whole)
    _repair_fractions(found, whole, sizes, done)
    boxes = np.array([ann['bbox'] for ann in whole], np.float64)
    return bool(ends_outside(People(**{**vars(found), 'boxes': boxes})).mean() <= _FEW)


def _is_whole(ann: Entry, image: Entry, joints: int) -> bool:
    """Whether a person has a box, joints and the size of the image, in numbers."""
    numbers = all_finite(ann.get('bbox')) and len(ann['bbox']) == 4
    numbers = numbers and all_finite(ann['keypoints']) and len(ann['keypoints']) == 3 * joints
    return numbers and all(is_number(image.get(key)) and image[key] > 0 for key in ('width', 'height'))


def _as_arrays(content: Entry, whole: list[Entry]) -> People | None:
    try:
        arrays = from_content({**content, 'annotations': whole})
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError):
        return None
    return people_of_rows(arrays, np.arange(len(whole)))


def _repair_fractions(found: People, whole: list[Entry], sizes: list[list[float]], done: Counter[str]) -> None:
    """Joints in fractions of the image, if they lie in the boxes then."""
    known = found.joints[found.labelled]
    if not len(known) or known.min() < 0 or known.max() > 1:
        return
    moved = found.joints * np.array(sizes)[:, None]
    boxes = np.array([ann['bbox'] for ann in whole], np.float64)
    people = People(**{**vars(found), 'joints': moved, 'boxes': boxes})
    if (inside(people, boxes[:, :2] - 2, boxes[:, :2] + boxes[:, 2:] + 2) < 0.9).mean() > 0.1:
        return
    for ann, joints in zip(whole, moved.round(2).tolist(), strict=True):
        ann['keypoints'] = [each for (x, y), flag in zip(joints, ann['keypoints'][2::3]) for each in (x, y, flag)]
    done['people whose joints in fractions of their image were turned into pixels'] += len(whole)


def _repair_order(content: Entry, people: list[Entry], joints: list[str], done: Counter[str]) -> None:
    """Joints in the order of the metainfo, where the categories of the file name them in another one."""
    wanted = [plain_name(name) for name in joints]
    for category in content['categories']:
        names = category.get('keypoints') if isinstance(category, dict) else None
        given = [plain_name(name) for name in names] if isinstance(names, list) else []
        if given == wanted or sorted(given) != sorted(wanted) or len(set(wanted)) < len(wanted):
            continue
        order = [given.index(name) for name in wanted]
        for ann in people:
            values = ann['keypoints']
            if (
                ann.get('category_id') == category.get('id')
                and isinstance(values, list)
                and len(values) == 3 * len(order)
            ):
                ann['keypoints'] = [each for place in order for each in values[3 * place : 3 * place + 3]]
                done['people whose joints were put into the order of the metainfo, by their names'] += 1
        category['keypoints'] = list(joints)
        if isinstance(limbs := category.get('skeleton'), list):  # pairs of joints, counted from 1
            new = {str(place + 1): number for number, place in enumerate(order, 1)}
            category['skeleton'] = [
                [new.get(str(end), end) for end in limb] for limb in limbs if isinstance(limb, list)
            ]
