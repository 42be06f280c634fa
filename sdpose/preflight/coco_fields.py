"""The fields of COCO-style entries: images, annotations and detections, each complete and of finite numbers.

Every entry of a file is looked at, so the passing case does as little as possible; words are found for a failure only.
"""

import reprlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from sdpose.errors import DataError

IMAGE_KEYS = ('id', 'file_name', 'width', 'height')
ANNOTATION_KEYS = ('id', 'image_id', 'category_id')
DETECTION_KEYS = ('image_id', 'category_id', 'bbox', 'score')

# Pixels, areas and scores lie far below; larger ones become infinite in the single precision of the pipeline.
HUGE = 1e30


def check_entries(
    file: str | Path, what: str, entries: list[Any], keys: tuple[str, ...], cure: str = 'complete it, or remove it'
) -> None:
    """Check that each entry is a JSON object with some keys.

    Args:
        file: The file, for the message.
        what: ``'image'``, ``'annotation'`` or ``'detection'``.
        entries: The list of the file.
        keys: What each entry must have; the id of an entry must be an integer.
        cure: What to do about a missing key.

    Raises:
        DataError: Naming the first entry that is incomplete.
    """
    required, has_id = frozenset(keys), 'id' in keys
    for place, entry in enumerate(entries):
        if type(entry) is not dict:
            raise DataError(f'{file}: {what} {place} (counted from 0) is no JSON object: remove it')
        if not required <= entry.keys():
            lacking = ', '.join(key for key in keys if key not in entry)
            raise DataError(f'{file}: {_name(what, place, entry)} has no {lacking}: {cure}')
        if has_id and type(entry['id']) is not int:
            fault = f'id must be an integer, is {reprlib.repr(entry["id"])}{_as_text(entry["id"])}'
            raise _damaged(file, what, place, entry, fault)


def check_images(file: str | Path, images: list[dict[str, Any]]) -> None:
    """Check the file name of each image, and the size in pixels that it states.

    Raises:
        DataError: Naming the first image with a wrong value.
    """
    for place, image in enumerate(images):
        if type(image['file_name']) is not str:
            raise _damaged(
                file, 'image', place, image, f'file_name must be a text, is {reprlib.repr(image["file_name"])}'
            )
        for key in ('width', 'height'):
            if key in image and (not is_number(image[key]) or image[key] <= 0):
                raise _damaged(
                    file, 'image', place, image, f'{key} must be a positive number, is {reprlib.repr(image[key])}'
                )


def check_annotations(file: str | Path, annotations: list[dict[str, Any]], num_keypoints: int | None) -> None:
    """Check the numbers of each annotation that has key points.

    Args:
        file: The annotation file, for the message.
        annotations: Its annotations, all with ``ANNOTATION_KEYS`` and ``keypoints``.
        num_keypoints: Joints per person; None for any. An annotation without a labelled joint may list none.

    Raises:
        DataError: Naming the first annotation with a wrong value.
    """
    numbers = None if num_keypoints is None else 3 * num_keypoints
    for place, ann in enumerate(annotations):
        keypoints = ann['keypoints']
        if (
            numbers is not None
            and type(keypoints) is list
            and len(keypoints) != numbers
            and (keypoints or _counts(ann))
        ):
            raise DataError(f'{file}: annotation id {ann["id"]} {_length_fault(keypoints, num_keypoints or 0)}')
        if not all_finite(keypoints):
            raise _damaged(file, 'annotation', place, ann, _keypoint_fault(keypoints))
        fault = _common_fault(ann)
        if fault is not None:
            raise _damaged(file, 'annotation', place, ann, fault)


def _counts(ann: dict[str, Any]) -> bool:
    """Whether the people of an annotation are used, by what it says of itself."""
    return ann.get('num_keypoints') != 0 and not ann.get('iscrowd')


def _length_fault(keypoints: list[Any], num_keypoints: int) -> str:
    """What another length of ``keypoints`` is, where it is a form that tools write, and the change."""
    each = f'{num_keypoints} joints times x, y, visibility'
    if len(keypoints) == num_keypoints and all(type(joint) in (list, dict) for joint in keypoints):
        return (
            'has a list or an object for each joint in keypoints: write one list of '
            f'{3 * num_keypoints} numbers ({each})'
        )
    if len(keypoints) == 2 * num_keypoints and not all(number in (0, 1, 2) for number in keypoints[2::3]):
        return (
            f'has {len(keypoints)} key point numbers, expected {3 * num_keypoints} ({each}): it has no visibility; '
            'write 2 '
            'behind the x and y of each labelled joint, and 0, 0, 0 for the others'
        )
    return (
        f'has {len(keypoints)} key point numbers, expected {3 * num_keypoints} ({each}): correct the file, or choose '
        'the config of its data set; people of several kinds, with other joints each, need a file each'
    )


def check_joint_names(file: str | Path, categories: Any, joints: Sequence[str]) -> None:
    """Check that the joints which a file names itself stand where the metainfo has them.

    Only names that both know count: some data sets call a joint otherwise than MMPose's metainfo of them. ``Left Eye``,
    ``left-eye`` and ``left_eye`` are one name.

    Args:
        file: The annotation file, for the message.
        categories: Its ``categories``; none need name key points.
        joints: Names of the joints in the metainfo's order.

    Raises:
        DataError: Naming the first joint with another place.
    """
    places = {plain_name(name): place for place, name in enumerate(joints)}
    if len(places) < len(joints):  # told apart by what is left out
        places = {}
    for category in categories if isinstance(categories, list) else ():
        names = category.get('keypoints') if isinstance(category, dict) else None
        for place, name in enumerate(names if isinstance(names, list) else ()):
            if places.get(plain_name(name), place) != place:
                raise DataError(
                    f'{file}: its categories name {name!r} as joint {place} (counted from 0), the metainfo '
                    f'of the data set as joint {places[plain_name(name)]}: give both one order'
                )


def plain_name(name: Any) -> str:
    """A joint's name without case, blanks and hyphens."""
    return ''.join(filter(str.isalnum, str(name).lower()))


def check_crowd(file: str | Path, images: list[dict[str, Any]], annotations: list[dict[str, Any]]) -> None:
    """Check what CrowdPose's evaluation reads beside COCO's fields.

    Args:
        file: The annotation file, for the message.
        images: Its images, which need ``crowdIndex``: the evaluation sorts them into easy, medium and hard.
        annotations: Its annotations, which need ``num_keypoints``: people with 0 are no part of the evaluation.

    Raises:
        DataError: Naming the first image or annotation with a missing or wrong value.
    """
    cure = "take CrowdPose's own file, or evaluate with iou_type='keypoints' in CocoMetric"
    for what, entries, key in (('image', images, 'crowdIndex'), ('annotation', annotations, 'num_keypoints')):
        check_entries(file, what, entries, (key,), cure)
        for place, entry in enumerate(entries):
            if not is_number(entry[key]) or entry[key] < 0:
                raise _damaged(
                    file, what, place, entry, f'{key} must be a number from 0, is {reprlib.repr(entry[key])}'
                )


def check_detection_values(file: str | Path, place: int, detection: dict[str, Any]) -> None:
    """Check the numbers of a detection, the ``place``-th of its file from 0.

    Raises:
        DataError: Naming the detection and the wrong value.
    """
    fault = _common_fault(detection)
    if fault is None and not is_number(detection['score']):
        fault = f'score must be a finite number, is {reprlib.repr(detection["score"])}'
    if fault is not None:
        raise _damaged(file, 'detection', place, detection, fault)


def _common_fault(entry: dict[str, Any]) -> str | None:
    """What is wrong with the ids or the box of an annotation or a detection, if anything."""
    if type(entry['image_id']) is not int or type(entry['category_id']) is not int:
        key = 'category_id' if type(entry['image_id']) is int else 'image_id'
        return f'{key} must be an integer, is {reprlib.repr(entry[key])}{_as_text(entry[key])}'
    if not all_finite(entry['bbox']) or len(entry['bbox']) != 4:
        text = next(filter(None, map(_as_text, entry['bbox'])), '') if type(entry['bbox']) is list else ''
        return f'bbox must be 4 finite numbers (x, y, width, height), is {reprlib.repr(entry["bbox"])}{text}'
    return None


def _keypoint_fault(keypoints: Any) -> str:
    if type(keypoints) is not list:
        return f'keypoints must be a list of numbers, is {reprlib.repr(keypoints)}'
    for place, number in enumerate(keypoints):
        if not is_number(number):
            return f'key point number {place} (counted from 0) is {reprlib.repr(number)}, not a finite number'
    return 'the sum of its key point numbers is not finite'


def _as_text(value: Any) -> str:
    """What to do about a number that is written as text."""
    return ' (a number in quotation marks: write it without)' if type(value) is str and _is_numeric(value) else ''


def _is_numeric(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def all_finite(numbers: Any) -> bool:
    """Whether this is a list of finite numbers; a sum is the fastest way to look at each of them."""
    if type(numbers) is not list:
        return False
    try:
        return abs(sum(numbers)) < HUGE
    except (TypeError, OverflowError):
        return False


def is_number(value: Any) -> bool:
    """Whether this is a finite number, and not a truth value."""
    return type(value) in (int, float) and abs(value) < HUGE


def _name(what: str, place: int, entry: dict[str, Any]) -> str:
    """How a message calls an entry: by its id where it has one, by its place in the file otherwise."""
    name = f'{what} id {reprlib.repr(entry["id"])}' if 'id' in entry else f'{what} {place} (counted from 0)'
    return name + (f' on image id {reprlib.repr(entry["image_id"])}' if 'image_id' in entry else '')


def refuse(file: str | Path, place: int, annotation: dict[str, Any], fault: str) -> NoReturn:
    """Refuse the ``place``-th annotation of a file.

    Raises:
        DataError: Naming it and the fault.
    """
    raise _damaged(file, 'annotation', place, annotation, fault)


def _damaged(file: str | Path, what: str, place: int, entry: dict[str, Any], fault: str) -> DataError:
    return DataError(f'{file}: {_name(what, place, entry)}: {fault}: correct it, or remove it')
