"""Numbers, ids and categories of entries, and entries that are there twice."""

import math
from collections import Counter
from typing import Any

Entry = dict[str, Any]
_WORDS = ('file_name', 'license', 'segmentation', 'date_captured')  # which stay as they are


def repair_numbers(content: Entry, done: Counter[str]) -> None:
    """Numbers that stand in quotation marks."""
    for entry in (*content['images'], *content['annotations']):
        for key, value in entry.items():
            if key in _WORDS:
                continue
            if (number := _number(value)) is not None:
                entry[key] = number
                done['numbers in quotation marks written without'] += 1
            elif isinstance(value, list) and any(_number(each) is not None for each in value):
                entry[key] = [each if (one := _number(each)) is None else one for each in value]
                done['numbers in quotation marks written without'] += 1


def _number(value: Any) -> int | float | None:
    """The number that a text is."""
    if not isinstance(value, str):
        return None
    for kind in (int, float):
        try:
            number = kind(value)
        except ValueError:
            continue
        return number if math.isfinite(number) else None
    return None


def repair_ids(content: Entry, done: Counter[str]) -> None:
    """Ids that are no integers, missing, or there twice."""
    images, annotations = content['images'], content['annotations']
    if any(type(image.get('id')) is not int for image in images):
        new = {repr(image['id']): number for number, image in enumerate(images, 1) if 'id' in image}
        for number, image in enumerate(images, 1):
            image['id'] = number
        for ann in annotations:
            ann['image_id'] = new.get(repr(ann.get('image_id')), -1)
        done['images numbered anew, and their annotations with them'] += len(images)
    unique: dict[Any, Entry] = {}
    content['images'] = [
        image for image in images if unique.setdefault(image['id'], image) is image or image != unique[image['id']]
    ]
    done['images that are listed twice dropped'] += len(images) - len(content['images'])
    content['annotations'] = annotations = without_repeated(annotations, done)
    if any(type(ann.get('id')) is not int or ann['id'] < 0 for ann in annotations) or len(
        {ann['id'] for ann in annotations}
    ) < len(annotations):
        for number, ann in enumerate(annotations, 1):
            ann['id'] = number
        done['annotations numbered anew'] += len(annotations)


def repair_categories(content: Entry, joints: list[str], done: Counter[str]) -> None:
    """Categories that are missing, and the one that annotations must mean."""
    people = [ann for ann in content['annotations'] if 'keypoints' in ann]
    used = {ann.get('category_id') for ann in people}
    listed = content.get('categories')
    if not isinstance(listed, list) or not listed:
        number = next(iter(used)) if len(used) == 1 and type(next(iter(used))) is int else 1
        content['categories'] = listed = [dict(id=number, name='person', keypoints=list(joints), skeleton=[])]
        done['categories added'] += 1
    ids = [each.get('id') for each in listed if isinstance(each, dict)]
    if len(ids) == 1 and len(used) == 1 and used != set(ids) and people:
        for ann in people:
            ann['category_id'] = ids[0]
        done['annotations given the category that the file lists'] += len(people)


def without_repeated(annotations: list[Entry], done: Counter[str]) -> list[Entry]:
    """Annotations without those that repeat another one of their image in all but the id."""
    seen: dict[str, Entry] = {}
    kept = []
    for ann in annotations:
        key = repr([ann.get(name) for name in ('image_id', 'category_id', 'bbox', 'keypoints', 'segmentation')])
        if 'keypoints' not in ann or seen.setdefault(key, ann) is ann:
            kept.append(ann)
    done['repeated people dropped'] += len(annotations) - len(kept)
    return kept
