"""A look at a COCO-style data set before training or testing starts: is everything there, and does it fit together.

It reads the annotation file once more and lists each image folder once; no image is opened.
"""

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any, Iterable, Union

from sdpose.errors import DataError

_SHOWN = 3


def check_people(ann_file: Union[str, Path], image_folder: Union[str, Path], num_keypoints: int) -> list[str]:
    """Check an annotation file and the images it names.

    Args:
        ann_file: COCO key point annotations.
        image_folder: Where the images lie.
        num_keypoints: Joints per person that the config expects.

    Returns:
        Remarks that do not prevent a run, one sentence each.

    Raises:
        DataError: If a file is missing or not COCO, an annotation has another number of joints, or an image with
            annotated people is missing.
    """
    content = read_annotations(ann_file)
    images = {image['id']: image for image in content['images']}
    people = [ann for ann in content['annotations'] if 'keypoints' in ann and 'bbox' in ann]
    if not people:
        raise DataError(f'{ann_file} annotates no key points: use the person_keypoints file, not instances or captions')
    for ann in people:
        if len(ann['keypoints']) != 3 * num_keypoints:
            raise DataError(f'{ann_file}: annotation id {ann["id"]} has {len(ann["keypoints"])} key point numbers, '
                            f'expected {3 * num_keypoints} ({num_keypoints} joints times x, y, visibility): correct '
                            'the file, or choose the config of its data set')
        if ann['image_id'] not in images:
            raise DataError(f'{ann_file}: annotation id {ann["id"]} refers to image id {ann["image_id"]}, which the '
                            'file does not list')
    used = [ann for ann in people if not ann.get('iscrowd') and ann.get('num_keypoints', 1)]
    check_images(image_folder, (images[ann['image_id']]['file_name'] for ann in used), ann_file)
    return _remark_on_empty(used, 'annotation', ann_file, 'left out of training and of ground-truth boxes')


def check_detections(bbox_file: Union[str, Path], ann_file: Union[str, Path],
                     image_folder: Union[str, Path]) -> list[str]:
    """Check a file of detected person boxes against the annotations it belongs to.

    Returns:
        Remarks that do not prevent a run.

    Raises:
        DataError: If a file or image is missing, the file holds no person, or it belongs to other images.
    """
    content = read_annotations(ann_file)
    images = {image['id']: image for image in content['images']}
    if not Path(bbox_file).is_file():
        raise DataError(f"the person detections {bbox_file} are missing: put the detector's result file there, or "
                        'evaluate with ground-truth boxes (--gt-bbox)')
    boxes = _read_json(bbox_file, 'a file of person detections')
    if not isinstance(boxes, list) or not all(isinstance(box, dict) for box in boxes):
        raise DataError(f'{bbox_file} must be a JSON list of detections with image_id, category_id, bbox and score')
    for number, box in enumerate(boxes):
        lacking = [key for key in ('image_id', 'category_id', 'bbox', 'score') if key not in box]
        if lacking:
            raise DataError(f'{bbox_file}: detection {number} has no {", ".join(lacking)}')
    people = [box for box in boxes if box['category_id'] == 1]
    if not people:
        raise DataError(f'{bbox_file} holds no person (category_id 1) among {len(boxes)} detections')
    strangers = [box['image_id'] for box in people if box['image_id'] not in images]
    if strangers:
        raise DataError(f'{bbox_file} belongs to other images than {ann_file}: image id {strangers[0]} and '
                        f'{len(set(strangers)) - 1} more are not listed there')
    check_images(image_folder, (images[box['image_id']]['file_name'] for box in people), ann_file)
    return _remark_on_empty(people, 'detection', bbox_file, 'predicted all the same, from a box without content')


def check_images(folder: Union[str, Path], names: Iterable[str], named_by: Union[str, Path]) -> None:
    """Check that images exist, listing each folder once.

    Raises:
        DataError: If the folder or images are missing, naming the first few.
    """
    if not Path(folder).is_dir():
        raise DataError(f'the image folder {folder} is missing: put the images of {named_by} there, or correct '
                        'data_prefix.img of the dataset in the config')
    listed: dict[str, set[str]] = {}
    missing = []
    for name in dict.fromkeys(names):
        parent, file = os.path.split(os.path.join(folder, name))
        if parent not in listed:
            listed[parent] = set(os.listdir(parent)) if os.path.isdir(parent) else set()
        if file not in listed[parent]:
            missing.append(os.path.join(folder, name))
    if missing:
        raise DataError(f'{len(missing)} images of {named_by} are missing: {", ".join(missing[:_SHOWN])}'
                        f'{" ..." if len(missing) > _SHOWN else ""}')


def read_annotations(ann_file: Union[str, Path]) -> dict[str, Any]:
    """Read a COCO annotation file.

    Raises:
        DataError: If it is missing, not JSON, or lacks images, annotations or ids.
    """
    if not Path(ann_file).is_file():
        raise DataError(f'the annotation file {ann_file} is missing: put it there, or correct data_root and ann_file '
                        'of the dataset in the config')
    content = _read_json(ann_file, 'a COCO annotation file')
    lacking = [key for key in ('images', 'annotations') if not isinstance(content, dict) or key not in content]
    if lacking:
        raise DataError(f'{ann_file} is not a COCO annotation file: it has no {" and no ".join(lacking)}')
    repeated = [key for key, count in Counter(ann['id'] for ann in content['annotations']).items() if count > 1]
    if repeated:
        raise DataError(f'{ann_file}: annotation id {repeated[0]} is used more than once')
    return content


def _read_json(file: Union[str, Path], what: str) -> Any:
    try:
        return json.loads(Path(file).read_bytes())
    except ValueError as error:
        raise DataError(f'{file} is not {what}: it is not valid JSON ({error}); fetch it again') from error


def _remark_on_empty(items: list[dict[str, Any]], what: str, file: Union[str, Path], fate: str) -> list[str]:
    """Say what happens to boxes of zero area."""
    empty = [item for item in items if item['bbox'][2] <= 0 or item['bbox'][3] <= 0]
    if not empty:
        return []
    first = f'id {empty[0]["id"]}' if 'id' in empty[0] else f'on image id {empty[0]["image_id"]}'
    return [f'{file}: {len(empty)} {what}(s) have a box of zero area (first: {first}); they are {fate}']
