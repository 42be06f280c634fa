"""A repaired copy of a COCO annotation file: what has one right answer, each kind counted."""

import copy
from collections import Counter
from pathlib import Path
from typing import Any

from .entries import repair_categories, repair_ids, repair_numbers, without_repeated
from .images import repair_images
from .people import repair_joints, repair_person, without_empty
from .readings import repair_readings

Entry = dict[str, Any]

__all__ = ['repair']


def repair(content: Entry, folder: str | Path, joints: list[str], turns: bool) -> tuple[Entry, Counter[str]]:
    """Repair what has one right answer.

    Args:
        content: What an annotation file holds, with the two lists of COCO; it stays as it is.
        folder: Where the images lie.
        joints: Names of the joints in the metainfo's order.
        turns: Whether a run turns pictures as their EXIF data ask for.

    Returns:
        The copy, and how many entries were changed, by what was done.
    """
    done: Counter[str] = Counter()
    content = copy.deepcopy(content)
    for key in ('images', 'annotations'):
        objects = [each for each in content[key] if isinstance(each, dict)]
        done['entries that are no objects dropped'] += len(content[key]) - len(objects)
        content[key] = objects
    for entry in (*content['images'], *content['annotations']):
        for key in ('id', 'image_id', 'category_id'):
            if isinstance(entry.get(key), (list, dict)):
                del entry[key]
                done['ids that are lists or objects left out'] += 1
    repair_numbers(content, done)
    repair_images(content, Path(folder), turns, done)
    repair_ids(content, done)
    repair_categories(content, joints, done)
    images = {image['id']: image for image in content['images']}
    known = [ann for ann in content['annotations'] if ann.get('image_id') in images]
    done['annotations of images that are not listed dropped'] += len(content['annotations']) - len(known)
    people = [ann for ann in known if 'keypoints' in ann]
    for ann in people:
        repair_joints(ann, len(joints), done)
    cut = repair_readings(content, people, images, joints, done)
    for ann in people:
        repair_person(ann, images[ann['image_id']], len(joints), cut, done)
    content['annotations'] = without_empty(without_repeated(known, done), done)
    return content, +done
