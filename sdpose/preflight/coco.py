"""A look at a COCO-style data set before training or testing starts: is everything there, and does it fit together.

It reads the annotation file once more and lists each image folder once; no image is opened.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from sdpose.errors import DataError, first_few
from sdpose.io.json_file import read_json

from . import coco_fields
from .annotation_file import read_annotations


def check_people(
    ann_file: str | Path,
    image_folder: str | Path,
    num_keypoints: int,
    evaluated: bool = False,
    use_area: bool = True,
    crowd: bool = False,
    joints: Sequence[str] = (),
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

    Returns:
        Remarks that do not prevent a run, one sentence each.

    Raises:
        DataError: If a file is missing or not COCO, an entry is incomplete or holds a value that is no number, an
            annotation has another number or order of joints, an image with annotated people is missing, or no person
            is left.
    """
    content = read_annotations(ann_file)
    if not content['annotations']:
        raise _no_keypoints(ann_file)
    images = _check_content(ann_file, content, num_keypoints, evaluated, use_area, crowd)
    coco_fields.check_joint_names(ann_file, content.get('categories'), joints)
    used = [ann for ann in content['annotations'] if not ann.get('iscrowd') and ann.get('num_keypoints') != 0]
    fit = [ann for ann in used if _box_fault(ann, images) is None]
    if not any(max(ann['keypoints'][0::3]) > 0 or max(ann['keypoints'][1::3]) > 0 for ann in fit):
        raise DataError(
            f'no usable person in {ann_file}: each of its {len(content["annotations"])} annotations is a '
            'crowd, has no labelled key point, or has a box of zero area or outside its image: correct '
            'the file, or name another one'
        )
    check_images(image_folder, (images[ann['image_id']]['file_name'] for ann in used), ann_file)
    return _remark_on_boxes(used, images, 'annotation', ann_file, 'left out of training and of ground-truth boxes')


def check_detections(
    bbox_file: str | Path,
    ann_file: str | Path,
    image_folder: str | Path,
    num_keypoints: int | None = None,
    evaluated: bool = True,
    use_area: bool = True,
    crowd: bool = False,
    joints: Sequence[str] = (),
) -> list[str]:
    """Check a file of detected person boxes and the annotations that their poses are compared with.

    Args:
        bbox_file: COCO detections.
        ann_file: COCO key point annotations of the same images.
        image_folder: Where the images lie.
        num_keypoints: Joints per annotated person; None for any.
        evaluated: Whether poses are compared at all; otherwise the annotation file need only list the images.
        use_area: The option of ``CocoMetric``: False if it does without ``area``.
        crowd: Whether the evaluation is CrowdPose's, which takes ``crowdIndex`` and ``num_keypoints``.
        joints: As for :func:`check_people`.

    Returns:
        Remarks that do not prevent a run.

    Raises:
        DataError: If a file or image is missing, an entry is incomplete or holds a value that is no number, the file
            holds no person, or it belongs to other images.
    """
    content = read_annotations(ann_file, annotated=evaluated)
    if evaluated:
        images = _check_content(ann_file, content, num_keypoints, True, use_area, crowd)
    else:
        images = {image['id']: image for image in content['images']}
    coco_fields.check_joint_names(ann_file, content.get('categories'), joints)
    people = _read_people(bbox_file)
    strangers = [box['image_id'] for box in people if box['image_id'] not in images]
    if strangers:
        raise DataError(
            f'{bbox_file} belongs to other images than {ann_file}: image id {strangers[0]} and '
            f'{len(set(strangers)) - 1} more are not listed there'
        )
    check_images(image_folder, (images[box['image_id']]['file_name'] for box in people), ann_file)
    return _remark_on_boxes(
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
    for name in dict.fromkeys(names):
        parent, file = os.path.split(os.path.join(folder, name))
        if parent not in listed:
            listed[parent] = _are_files(parent)
        if not listed[parent].get(file, False):
            (special if file in listed[parent] else missing).append(os.path.join(folder, name))
    if missing:
        raise DataError(f'{len(missing)} images of {named_by} are missing: {first_few(missing)}')
    if special:
        raise DataError(
            f'{len(special)} images of {named_by} are no files, but folders, pipes, devices or links to '
            f'nothing: {first_few(special)}'
        )


def _are_files(folder: str) -> dict[str, bool]:
    """What a folder holds, and whether it is a file or a link to one."""
    return {entry.name: entry.is_file() for entry in os.scandir(folder)} if os.path.isdir(folder) else {}


def _check_content(
    ann_file: str | Path,
    content: dict[str, Any],
    num_keypoints: int | None,
    evaluated: bool,
    use_area: bool,
    crowd: bool,
) -> dict[int, dict[str, Any]]:
    """Check all annotations; returns the images by id."""
    annotations, area = content['annotations'], evaluated and use_area
    if annotations and not any('keypoints' in ann for ann in annotations):
        raise _no_keypoints(ann_file)
    coco_fields.check_entries(ann_file, 'annotation', annotations, coco_fields.ANNOTATION_KEYS)
    if area:
        coco_fields.check_entries(
            ann_file,
            'annotation',
            annotations,
            ('area',),
            "add it (OKS is relative to the person's area), or evaluate with use_area=False in CocoMetric",
        )
    coco_fields.check_annotations(ann_file, annotations, num_keypoints, area)
    images = {image['id']: image for image in content['images']}
    for ann in annotations:
        if ann['image_id'] not in images:
            raise DataError(
                f'{ann_file}: annotation id {ann["id"]} refers to image id {ann["image_id"]}, which the '
                'file does not list'
            )
    if evaluated and 'categories' not in content:
        raise DataError(
            f'{ann_file} has no categories, which the evaluation reads: add '
            '"categories": [{"id": 1, "name": "person"}]'
        )
    if evaluated and crowd:
        coco_fields.check_crowd(ann_file, content['images'], annotations)
    return images


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


def _no_keypoints(ann_file: str | Path) -> DataError:
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
