"""A look at a COCO key point result file before somebody scores or uploads it."""

import reprlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sdpose.errors import DataError, UserError
from sdpose.evaluation.submission import name_fault, read_results

from .annotation_file import read_annotations
from .coco_fields import all_finite, is_number

PERSON = 1
_KEYS = frozenset(('image_id', 'category_id', 'keypoints', 'score'))
_MAX_READ = 20  # the evaluation of key points reads so many results of an image, the best ones


@dataclass
class ResultCheck:
    """What was found: ``faults`` make a file unfit for COCO's evaluation, ``remarks`` do not."""

    num_results: int
    num_images: int
    num_keypoints: int
    faults: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def check_results(file: str | Path, ann_file: str | Path, num_keypoints: int | None = None) -> ResultCheck:
    """Check a file of COCO key point results against the images they are meant for.

    Args:
        file: The results, as JSON or as the zip archive that COCO's server takes.
        ann_file: The annotations of these images, or their ``image_info`` file without annotations.
        num_keypoints: Joints per person; default what the annotation file says, 17 if it says nothing.

    Returns:
        Each kind of fault once, with its number and its first place.

    Raises:
        UserError: If the number of joints is not positive.
        DataError: If a file is missing or cannot be read, or the results are no list.
    """
    if num_keypoints is not None and num_keypoints < 1:
        raise UserError(f'{num_keypoints} key points per person (--num-keypoints): give at least 1, or leave it out')
    truth = read_annotations(ann_file, annotated=False, cure='name another file')
    results = read_results(file)
    if not isinstance(results, list):
        raise DataError(f'{file} must be a JSON list of results with image_id, category_id, keypoints and score')
    joints = count_joints(truth) if num_keypoints is None else num_keypoints
    images = {image['id'] for image in truth['images']}
    check = ResultCheck(len(results), len(images), joints)
    check.faults += filter(None, [name_fault(file, ann_file), None if results else 'it holds no result'])
    check.faults += _entry_faults(results, images, Path(ann_file).name, joints)
    check.remarks += _remark(results, images, Path(file).stat().st_size)
    return check


def count_joints(truth: dict[str, Any]) -> int:
    """Joints per person by the categories of an annotation file, else by its first annotation, else COCO's 17."""
    for category in truth.get('categories') or []:
        if category.get('id') == PERSON and category.get('keypoints'):
            return len(category['keypoints'])
    return next((len(ann['keypoints']) // 3 for ann in truth['annotations'] if ann.get('keypoints')), 17)


def _entry_faults(results: list[Any], images: set[int], set_name: str, joints: int) -> list[str]:
    """Each kind of fault of single results, with its number and its first place."""
    count: Counter[str] = Counter()
    first: dict[str, str] = {}
    seen: set[tuple] = set()
    for place, result in enumerate(results):
        fault, detail = entry_fault(result, images, set_name, joints)
        if fault is None:
            key = (result['image_id'], result['score'], *result['keypoints'])
            if key in seen:
                fault, detail = 'the same person twice on an image, with equal numbers', f'image id {key[0]}'
            seen.add(key)
        if fault is not None:
            count[fault] += 1
            first.setdefault(fault, f'number {place} from 0: {detail}')
    return [f'{number} of {len(results)} results: {fault} (first: {first[fault]})' for fault, number in count.items()]


def entry_fault(result: Any, images: set[int], set_name: str, joints: int) -> tuple[str | None, str]:
    """What kind of fault a result has, None if none, and its value.

    Args:
        result: An entry of the file.
        images: Ids of the images that are known.
        set_name: What the message calls them.
        joints: Per person.
    """
    if type(result) is not dict or not _KEYS <= result.keys():
        lacking = sorted(_KEYS - (result.keys() if type(result) is dict else set()))
        return 'no image_id, category_id, keypoints or score', f'lacks {", ".join(lacking)}'
    image, category, keypoints, score = (result[key] for key in ('image_id', 'category_id', 'keypoints', 'score'))
    if type(image) is not int or image not in images:
        return f'image_id is none of {set_name}', reprlib.repr(image)
    if type(category) is not int or category != PERSON:
        return f'category_id is not {PERSON}, person', reprlib.repr(category)
    if type(keypoints) is not list or len(keypoints) != 3 * joints:
        return (
            f'keypoints are not {3 * joints} numbers ({joints} times x, y, score)',
            f'{len(keypoints)} numbers' if type(keypoints) is list else reprlib.repr(keypoints),
        )
    if not all_finite(keypoints):
        wrong = next((number for number in keypoints if not is_number(number)), 'a sum that is not finite')
        return 'a key point is no finite number', reprlib.repr(wrong)
    if not is_number(score):
        return 'score is no finite number', reprlib.repr(score)
    return None, ''


def _remark(results: list[Any], images: set[int], size: int) -> list[str]:
    """What is worth knowing and no fault: size, images without results and with more than are read."""
    per_image = Counter(
        result['image_id'] for result in results if isinstance(result, dict) and type(result.get('image_id')) is int
    )
    remarks = [f'{size / 1e6:.3g} MB']
    empty = len(images - per_image.keys())
    if empty:
        remarks.append(f'{empty} of {len(images)} images have no result: every person there counts as missed')
    full = sum(number > _MAX_READ for number in per_image.values())
    if full:
        remarks.append(f'{full} images have more than {_MAX_READ} results, of which COCO reads the best {_MAX_READ}')
    return remarks
