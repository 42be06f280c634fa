"""A look at a COCO-style data set before training or testing starts: is everything there, and does it fit together.

It reads the annotation file as arrays, and entry by entry where something is wrong or odd, and lists each image folder
once; no image is opened.
"""

import os
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

import numpy as np

from sdpose.errors import DataError, first_few
from sdpose.io.annotation_store import Store, open_store
from sdpose.io.json_file import read_json

from . import coco_fields
from .annotation_file import read_annotations
from .evaluated import check_evaluated
from .odd_entries import check_crowds, remarks_on_entries
from .sound import is_evaluated_soundly, is_sound, used_people


def check_people(
    ann_file: str | Path,
    image_folder: str | Path,
    num_keypoints: int,
    evaluated: bool = False,
    use_area: bool = True,
    crowd: bool = False,
    joints: Sequence[str] = (),
    parts: bool = False,
) -> list[str]:
    """Check an annotation file and the images it names.

    Args:
        ann_file: COCO key point annotations.
        image_folder: Where the images lie.
        num_keypoints: Joints per person that the config expects.
        evaluated: Whether predictions are compared with this file, which takes ``categories`` and ``area``.
        use_area: The option of ``CocoMetric``: False if an evaluation does without ``area``.
        crowd: Whether an evaluation is CrowdPose's, which takes ``crowdIndex`` and ``num_keypoints``.
        joints: Their names in the metainfo's order, to be compared with those that the file has.
        parts: Whether an evaluation is COCO-WholeBody's, which takes the joints of each part.

    Returns:
        Remarks that do not prevent a run, one sentence each.

    Raises:
        DataError: If a file is missing or not COCO, an entry is incomplete or holds a value that is no number, an
            annotation has another number or order of joints, an image with annotated people is missing, or no person
            is left.
    """
    store = open_store(ann_file)
    if store is not None and not parts and is_sound(store, num_keypoints):
        if not evaluated or is_evaluated_soundly(store, use_area, crowd):
            check_sound(ann_file, store, image_folder, joints)
            return []
    content = read_annotations(ann_file)
    if not content['annotations']:
        raise no_keypoints(ann_file)
    _check_content(ann_file, content, num_keypoints)
    remarks: list[str] = []
    reads = Reads(evaluated, use_area, crowd, joints, parts)
    for check in checks_of_sound_entries(ann_file, content, image_folder, reads, remarks):
        remarks += check() or []
    return remarks


class Reads(NamedTuple):
    """What is read of an annotation file beside its people; as for :func:`check_people`."""

    evaluated: bool = False
    use_area: bool = True
    crowd: bool = False
    joints: Sequence[str] = ()
    parts: bool = False


def checks_of_sound_entries(
    ann_file: str | Path, content: dict[str, Any], image_folder: str | Path, reads: Reads, said: list[str]
) -> Iterator[Callable[[], list[str] | None]]:
    """The checks of a file whose entries are complete and hold numbers; each may be the only one that is asked.

    Args:
        ann_file: COCO key point annotations, for messages.
        content: What they hold.
        image_folder: Where the images lie.
        reads: What else is read of the file.
        said: The remarks of the checks that were asked before.

    Yields:
        Checks, each of which returns remarks, if it has any, or raises a DataError.
    """
    annotations, images = content['annotations'], {image['id']: image for image in content['images']}
    people = [flat(ann) for ann in annotations if 'keypoints' in ann]
    used = [ann for ann in people if not ann.get('iscrowd') and ann.get('num_keypoints') != 0]
    yield partial(check_crowds, ann_file, annotations, reads.evaluated)
    if reads.evaluated:
        yield lambda: check_evaluated(ann_file, content, reads.use_area, reads.crowd, parts=reads.parts)
    yield partial(coco_fields.check_joint_names, ann_file, categories_of_people(content), reads.joints)
    yield lambda: remarks_on_entries(ann_file, content['images'], people)
    yield lambda: _remark_on_left_out(ann_file, annotations)
    yield partial(_require_usable, ann_file, annotations, used, images, said)
    yield partial(check_images, image_folder, [images[ann['image_id']]['file_name'] for ann in used], ann_file)
    yield lambda: _remark_on_boxes(
        used, images, 'annotation', ann_file, 'left out of training and of ground-truth boxes'
    )


def _require_usable(
    ann_file: str | Path,
    annotations: list[dict[str, Any]],
    used: list[dict[str, Any]],
    images: dict[int, dict[str, Any]],
    said: list[str],
) -> None:
    """Check that somebody is left."""
    fit = [ann for ann in used if _box_fault(ann, images) is None]
    if not any(map(_has_positive, fit)):
        raise DataError(
            f'no usable person in {ann_file}: each of its {len(annotations)} annotations is a '
            'crowd, has no labelled key point, or has a box of zero area or outside its image: correct '
            f'the file, or name another one{"".join(f" ({remark})" for remark in said)}'
        )


def check_sound(ann_file: str | Path, store: Store, image_folder: str | Path, joints: Sequence[str]) -> None:
    """What remains to be checked of a file whose entries are sound: the order of its joints, and its images."""
    arrays, names = store.arrays, store.names()
    kinds = set(arrays.categories[arrays.listed >= 0].tolist())
    coco_fields.check_joint_names(ann_file, _categories(store.categories, kinds), joints)
    images = np.flatnonzero(np.bincount(arrays.images[used_people(arrays)]))
    check_images(image_folder, [names[image] for image in images.tolist()], ann_file)


def check_detections(
    bbox_file: str | Path,
    ann_file: str | Path,
    image_folder: str | Path,
    num_keypoints: int | None = None,
    evaluated: bool = True,
    use_area: bool = True,
    crowd: bool = False,
    joints: Sequence[str] = (),
    annotated: bool = True,
    parts: bool = False,
) -> list[str]:
    """Check a file of detected person boxes and the annotations that their poses are compared with.

    Args:
        bbox_file: COCO detections.
        ann_file: COCO key point annotations of the same images.
        image_folder: Where the images lie.
        num_keypoints: Joints per annotated person; None for any.
        evaluated: Whether COCO's evaluation compares poses with this file.
        use_area: The option of ``CocoMetric``: False if it does without ``area``.
        crowd: Whether the evaluation is CrowdPose's, which takes ``crowdIndex`` and ``num_keypoints``.
        joints: As for :func:`check_people`.
        parts: As for :func:`check_people`.
        annotated: Whether anything reads the annotations; otherwise the file need only list the images.

    Returns:
        Remarks that do not prevent a run.

    Raises:
        DataError: If a file or image is missing, an entry is incomplete or holds a value that is no number, the file
            holds no person, or it belongs to other images.
    """
    content = read_annotations(ann_file, annotated=annotated)
    remarks = []
    images = {image['id']: image for image in content['images']}
    if annotated:
        images = _check_content(ann_file, content, num_keypoints)
    if evaluated:
        remarks += check_evaluated(ann_file, content, use_area, crowd, detected=True, parts=parts)
    coco_fields.check_joint_names(ann_file, categories_of_people(content), joints)
    people = _read_people(bbox_file)
    strangers = [box['image_id'] for box in people if box['image_id'] not in images]
    if strangers:
        raise DataError(
            f'{bbox_file} belongs to other images than {ann_file}: image id {strangers[0]} and '
            f'{len(set(strangers)) - 1} more are not listed there'
        )
    check_images(image_folder, (images[box['image_id']]['file_name'] for box in people), ann_file)
    return remarks + _remark_on_boxes(
        people, images, 'detection', bbox_file, 'predicted all the same, from a box without content'
    )


def check_images(folder: str | Path, names: Iterable[str], named_by: str | Path) -> None:
    """Check that images exist and are files or links to files, listing each folder once.

    Raises:
        DataError: If the folder or images are missing, or are folders or pipes, naming the first few.
    """
    if not Path(folder).is_dir():
        raise DataError(
            f'the image folder {folder} is missing: put the images of {named_by} there, or correct '
            'data_prefix.img of the dataset in the config'
        )
    listed: dict[str, dict[str, bool]] = {}
    missing: list[str] = []
    special: list[str] = []
    at_hand = {name for name, is_file in _are_files(str(folder)).items() if is_file}
    for name in dict.fromkeys(names):
        if name in at_hand:
            continue
        parent, file = os.path.split(os.path.join(folder, name))
        if parent not in listed:
            listed[parent] = _are_files(parent)
        if not listed[parent].get(file, False):
            (special if file in listed[parent] else missing).append(os.path.join(folder, name))
    if missing:
        raise DataError(
            f'{len(missing)} images of {named_by} are missing: '
            f'{first_few(missing)}{_in_words(other_spelling(folder, os.path.relpath(missing[0], folder)))}'
        )
    if special:
        raise DataError(
            f'{len(special)} images of {named_by} are no files, but folders, pipes, devices or links to '
            f'nothing: {first_few(special)}'
        )


def other_spelling(folder: str | Path, name: str) -> tuple[str, str] | None:
    """How a picture that is missing is spelt there, and why, where tools are known to write it otherwise."""
    slashed = name.replace('\\', '/')
    stem = os.path.splitext(name)[0]
    for other, why in (
        (unquote(name), 'its name is written as in a web address'),
        (slashed, 'its folders are separated as on Windows'),
        (slashed.split('/')[-1], 'it lies without the folders of its name'),
        (os.path.basename(name), 'it lies without the folders of its name'),
        *((stem + ending, 'its name has another ending') for ending in ('.jpg', '.png', '.jpeg', '.JPG')),
    ):
        if other != name and os.path.isfile(os.path.join(folder, other)):
            return other, why
    return None


def _in_words(spelling: tuple[str, str] | None) -> str:
    return f'; {spelling[0]} is there: {spelling[1]}, correct file_name' if spelling else ''


def _are_files(folder: str) -> dict[str, bool]:
    """What a folder holds, and whether it is a file or a link to one."""
    return {entry.name: entry.is_file() for entry in os.scandir(folder)} if os.path.isdir(folder) else {}


def _check_content(
    ann_file: str | Path, content: dict[str, Any], num_keypoints: int | None
) -> dict[int, dict[str, Any]]:
    """Check all annotations; returns the images by id."""
    annotations = content['annotations']
    people = [flat(ann) for ann in annotations if 'keypoints' in ann]
    if annotations and not people:
        raise no_keypoints(ann_file)
    for check in checks_of_annotations(ann_file, num_keypoints):
        check(annotations)
    images = {image['id']: image for image in content['images']}
    check_listed(ann_file, annotations, images)
    return images


def checks_of_annotations(
    ann_file: str | Path, num_keypoints: int | None
) -> Iterator[Callable[[list[dict[str, Any]]], None]]:
    """The checks of annotations for themselves: of all, or of one at a time.

    Args:
        ann_file: COCO key point annotations, for messages.
        num_keypoints: Joints per person; None for any.

    Yields:
        Checks of a list of annotations, each of which raises a DataError.
    """
    cure = 'add x, y, width, height of the person, such as those of its labelled joints and a margin, or remove it'

    def people(annotations: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [flat(ann) for ann in annotations if 'keypoints' in ann]

    yield lambda anns: coco_fields.check_entries(ann_file, 'annotation', anns, coco_fields.ANNOTATION_KEYS)
    yield lambda anns: coco_fields.check_entries(ann_file, 'annotation', people(anns), ('bbox',), cure)
    yield lambda anns: coco_fields.check_annotations(ann_file, people(anns), num_keypoints)


def check_listed(ann_file: str | Path, annotations: list[dict[str, Any]], images: Container[int]) -> None:
    """Check that the images of annotations are among those that the file lists.

    Raises:
        DataError: Naming the first annotation that refers to another one.
    """
    for ann in annotations:
        if isinstance(ann['image_id'], (list, dict)) or ann['image_id'] not in images:
            raise DataError(
                f'{ann_file}: annotation id {ann["id"]} refers to image id {ann["image_id"]}, which the '
                'file does not list'
            )


def _is_labelled(ann: dict[str, Any]) -> bool:
    return 'keypoints' in ann and max(flat(ann)['keypoints'][2::3], default=0) > 0


def _has_positive(ann: dict[str, Any]) -> bool:
    """Whether a joint lies elsewhere than in the upper left corner or beyond it, which MMPose asks for."""
    keypoints = flat(ann)['keypoints']
    return max(keypoints[0::3], default=0) > 0 or max(keypoints[1::3], default=0) > 0


def flat(ann: dict[str, Any]) -> dict[str, Any]:
    """An annotation whose key points are one list: MMPose reads a list of three numbers for each joint as well."""
    keypoints = ann['keypoints']
    if (
        isinstance(keypoints, list)
        and keypoints
        and all(isinstance(joint, list) and len(joint) == 3 for joint in keypoints)
    ):
        return {**ann, 'keypoints': [number for joint in keypoints for number in joint]}
    return ann


def categories_of_people(content: dict[str, Any]) -> list[Any]:
    """The categories of the annotations that have key points, or all of a file without any."""
    used = {ann.get('category_id') for ann in content['annotations'] if 'keypoints' in ann}
    return _categories(content.get('categories'), used)


def _categories(categories: Any, used: set[Any]) -> list[Any]:
    """Those of a file's categories that are used, or all if none is."""
    categories = categories if isinstance(categories, list) else []
    return [each for each in categories if not used or (isinstance(each, dict) and each.get('id') in list(used))]


def _remark_on_left_out(ann_file: str | Path, annotations: list[dict[str, Any]]) -> list[str]:
    """Annotations that the class passes over although they look like people: by num_keypoints, or without any."""
    people = {ann['category_id'] for ann in annotations if ann.get('keypoints')}
    bare = [ann for ann in annotations if 'keypoints' not in ann and ann['category_id'] in people]
    labelled = [ann for ann in annotations if not ann.get('iscrowd') and _is_labelled(ann)]
    zero = [ann for ann in labelled if ann.get('num_keypoints') == 0]
    outside = [ann for ann in labelled if ann.get('num_keypoints') != 0 and not _has_positive(ann)]
    remarks = []
    for found, what in (
        (bare, 'have no keypoints'),
        (zero, 'have num_keypoints 0 although joints are labelled'),
        (outside, 'have no joint with a coordinate above 0 although joints are labelled'),
    ):
        if found:
            remarks.append(
                f'{ann_file}: {len(found)} of {len(annotations)} annotations {what} (first: id {found[0]["id"]}); they '
                'are left out'
            )
    return remarks


def _read_people(bbox_file: str | Path) -> list[dict[str, Any]]:
    """Read the persons of a file of detections."""
    if not Path(bbox_file).is_file():
        raise DataError(
            f"the person detections {bbox_file} are missing: put the detector's result file there, or "
            'evaluate with ground-truth boxes (--gt-bbox)'
        )
    boxes = read_json(bbox_file, 'a file of person detections')
    if not isinstance(boxes, list):
        raise DataError(f'{bbox_file} must be a JSON list of detections with image_id, category_id, bbox and score')
    coco_fields.check_entries(bbox_file, 'detection', boxes, coco_fields.DETECTION_KEYS)
    people = []
    for place, box in enumerate(boxes):
        if box['category_id'] == 1:
            coco_fields.check_detection_values(bbox_file, place, box)
            people.append(box)
    if not people:
        raise DataError(f'{bbox_file} holds no person (category_id 1) among {len(boxes)} detections')
    return people


def no_keypoints(ann_file: str | Path) -> DataError:
    """The error for a file without any."""
    return DataError(f'{ann_file} annotates no key points: use the person_keypoints file, not instances or captions')


def _box_fault(item: dict[str, Any], images: dict[int, dict[str, Any]]) -> str | None:
    """Why MMPose, which clips a box to 0 ... size - 1 and drops what has no extent then, leaves a person out."""
    x, y, width, height = item['bbox']
    if width <= 0 or height <= 0:
        return 'of zero area'
    image = images[item['image_id']]
    if x >= image['width'] - 1 or y >= image['height'] - 1 or x + width <= 0 or y + height <= 0:
        return 'outside their image'
    return None


def _remark_on_boxes(
    items: list[dict[str, Any]], images: dict[int, dict[str, Any]], what: str, file: str | Path, fate: str
) -> list[str]:
    """Say what happens to boxes without content."""
    faulty: dict[str, list[dict[str, Any]]] = {'of zero area': [], 'outside their image': []}
    for item in items:
        fault = _box_fault(item, images)
        if fault is not None:
            faulty[fault].append(item)
    parts: list[str] = []
    for fault, found in faulty.items():
        if found:
            first = f'id {found[0]["id"]}' if 'id' in found[0] else f'on image id {found[0]["image_id"]}'
            parts.append(f'{len(found)}{"" if parts else f" {what}(s)"} have a box {fault} (first: {first})')
    return [f'{file}: {" and ".join(parts)}; they are {fate}'] if parts else []
