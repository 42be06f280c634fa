"""A look at a COCO-style data set before training or testing starts: is everything there, and does it fit together.

It reads the annotation file as arrays, and object by object where these cannot hold it or show a fault, and lists each
image folder once; no image is opened.
"""

import os
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

import numpy as np

from sdpose.errors import DataError, first_few
from sdpose.io.annotation_store import open_store
from sdpose.io.json_file import read_json

from . import coco_fields
from .annotation_file import read_annotations
from .entries import Entries, entries_of_content, entries_of_store, flat
from .evaluated import check_evaluated
from .left_out import box_faults, remarks_on_boxes, remarks_on_empty_boxes, remarks_on_left_out, require_usable
from .odd_entries import check_crowds, remarks_on_entries
from .sound import are_images_sound, doubtful

_FEW = 1000  # annotations that are read one by one, in less time than the whole file


def check_people(
    ann_file: str | Path,
    image_folder: str | Path,
    num_keypoints: int,
    evaluated: bool = False,
    use_area: bool = True,
    crowd: bool = False,
    joints: Sequence[str] = (),
    parts: bool = False,
    pictures: bool = True,
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
        pictures: Whether images are read.

    Returns:
        Remarks that do not prevent a run, one sentence each.

    Raises:
        DataError: If a file is missing or not COCO, an entry is incomplete or holds a value that is no number, an
            annotation has another number or order of joints, an image with annotated people is missing, or no person
            is left.
    """
    reads = Reads(evaluated, use_area, crowd, joints, parts, pictures)
    entries = _read_entries(ann_file, num_keypoints, reads)
    if not len(entries.ids):
        raise no_keypoints(ann_file)
    remarks: list[str] = []
    for check in checks_of_sound_entries(ann_file, entries, image_folder, reads, remarks):
        remarks += check() or []
    return remarks


class Reads(NamedTuple):
    """What is read of an annotation file beside its people; as for :func:`check_people`."""

    evaluated: bool = False
    use_area: bool = True
    crowd: bool = False
    joints: Sequence[str] = ()
    parts: bool = False
    pictures: bool = True


def read_as_arrays(ann_file: str | Path, num_keypoints: int | None, reads: Reads) -> tuple[Entries, list[int]] | None:
    """The entries of a file by its arrays, if the rules of single images and of ids have nothing to say of it.

    Args:
        ann_file: COCO key point annotations.
        num_keypoints: Joints per person; None for any.
        reads: What else is read of the file.

    Returns:
        Entries, and the places of annotations that the rules of single annotations may mind. None for a file that is
        to be read object by object: one whose arrays show a fault of an image or an id, whose values are of other types
        than COCO's, or whose parts are read.
    """
    store = open_store(ann_file)
    if store is None or reads.parts or not are_images_sound(store, reads.evaluated and reads.crowd):
        return None
    return entries_of_store(store), doubtful(store, num_keypoints)


def _read_entries(ann_file: str | Path, num_keypoints: int | None, reads: Reads, annotated: bool = True) -> Entries:
    """The entries of a file, of which the rules of single ones have nothing to say."""
    found = read_as_arrays(ann_file, num_keypoints, reads)
    if found is not None and len(found[1]) <= _FEW:
        entries, doubted = found
        if annotated:
            _require_keypoints(ann_file, entries)
            some = entries.at(doubted)
            _check_annotations(ann_file, some, num_keypoints, set(entries.image_ids) if some else ())
        return entries
    content = read_annotations(ann_file, annotated=annotated)
    entries = entries_of_content(content)
    if annotated:
        _require_keypoints(ann_file, entries)
        _check_annotations(ann_file, content['annotations'], num_keypoints, set(entries.image_ids))
    return entries


def checks_of_sound_entries(
    ann_file: str | Path, entries: Entries, image_folder: str | Path, reads: Reads, said: list[str]
) -> Iterator[Callable[[], list[str] | None]]:
    """The checks of a file whose entries are complete and hold numbers; each may be the only one that is asked.

    Args:
        ann_file: COCO key point annotations, for messages.
        entries: What they hold.
        image_folder: Where the images lie.
        reads: What else is read of the file.
        said: The remarks of the checks that were asked before.

    Yields:
        Checks, each of which returns remarks, if it has any, or raises a DataError.
    """
    yield partial(check_crowds, ann_file, entries, reads.evaluated)
    if reads.evaluated:
        yield lambda: check_evaluated(ann_file, entries, reads.use_area, reads.crowd, parts=reads.parts)
    yield partial(coco_fields.check_joint_names, ann_file, categories_of_people(entries), reads.joints)
    yield lambda: remarks_on_entries(ann_file, entries)
    yield lambda: remarks_on_left_out(ann_file, entries)
    yield partial(require_usable, ann_file, entries, said)
    images = dict.fromkeys(entries.images[entries.used].tolist())
    if reads.pictures:
        yield partial(check_images, image_folder, [entries.names[image] for image in images], ann_file)
    yield lambda: remarks_on_empty_boxes(ann_file, entries)


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
    reads = Reads(evaluated, use_area, crowd, joints, parts)
    entries = _read_entries(ann_file, num_keypoints, reads, annotated)
    remarks = []
    if evaluated:
        remarks += check_evaluated(ann_file, entries, use_area, crowd, detected=True, parts=parts)
    coco_fields.check_joint_names(ann_file, categories_of_people(entries), joints)
    people = _read_people(bbox_file)
    places = {number: place for place, number in enumerate(entries.image_ids)}
    strangers = [box['image_id'] for box in people if box['image_id'] not in places]
    if strangers:
        raise DataError(
            f'{bbox_file} belongs to other images than {ann_file}: image id {strangers[0]} and '
            f'{len(set(strangers)) - 1} more are not listed there'
        )
    images = [places[box['image_id']] for box in people]
    check_images(image_folder, [entries.names[image] for image in dict.fromkeys(images)], ann_file)
    return remarks + remarks_on_boxes(
        box_faults(np.array([box['bbox'] for box in people], np.float64), entries.sizes[images]),
        lambda place: _name_of(people[place]),
        'detection',
        bbox_file,
        'predicted all the same, from a box without content',
    )


def _name_of(detection: dict[str, Any]) -> str:
    return f'id {detection["id"]}' if 'id' in detection else f'on image id {detection["image_id"]}'


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


def _require_keypoints(ann_file: str | Path, entries: Entries) -> None:
    """Check that some annotation has key points, if there are any."""
    if len(entries.ids) and not entries.people.any():
        raise no_keypoints(ann_file)


def _check_annotations(
    ann_file: str | Path, annotations: list[dict[str, Any]], num_keypoints: int | None, images: Container[int]
) -> None:
    """Check annotations for themselves, and that their images are among those that the file lists."""
    for check in checks_of_annotations(ann_file, num_keypoints):
        check(annotations)
    check_listed(ann_file, annotations, images)


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


def categories_of_people(entries: Entries) -> list[Any]:
    """The categories of the annotations that have key points, or all of a file without any."""
    categories = entries.head.get('categories')
    categories = categories if isinstance(categories, list) else []
    used = [entries.kinds[kind] for kind in np.unique(entries.categories[entries.people]).tolist()]
    return [each for each in categories if not used or (isinstance(each, dict) and each.get('id') in used)]


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
