"""A look at an MPII-style data set before training or testing starts: is everything there, and does it fit together."""

import reprlib
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat

from sdpose.errors import DataError
from sdpose.io.json_file import read_json

from .coco import check_images

_FETCH = "MMPose's MPII page names the file"


def check_mpii(
    ann_file: str | Path,
    image_folder: str | Path,
    num_keypoints: int,
    headbox_file: str | None = None,
    labelled: bool = True,
    pictures: bool = True,
) -> None:
    """Check an annotation file, the images it names, and the head boxes.

    Args:
        ann_file: A JSON list of people with ``image``, ``center`` and ``scale``, and ``joints`` and ``joints_vis``.
        image_folder: Where the images lie.
        num_keypoints: Joints per person.
        headbox_file: The MATLAB file of head boxes, one for each person of ``ann_file`` in its order.
        labelled: Whether people have joints; those of the test split have none.
        pictures: Whether images are read.

    Raises:
        DataError: If a file or image is missing, an entry is incomplete or holds a value that is no number, no joint is
            labelled, or the head boxes belong to other people.
    """
    people = read_mpii(ann_file)
    for number, person in enumerate(people):
        fault = person_fault(person, num_keypoints if labelled else None)
        if fault is not None:
            raise DataError(f'{ann_file}: person {number} (counted from 0) {fault}: correct it, or remove it')
    if labelled and not any(any(person['joints_vis']) for person in people):
        raise DataError(
            f'{ann_file}: no joint of its {len(people)} people is labelled (joints_vis), so there is '
            'nothing to learn or to measure: correct the file, or name another one'
        )
    if pictures:
        check_images(image_folder, (person['image'] for person in people), ann_file)
    if headbox_file:
        _check_head_boxes(headbox_file, ann_file, len(people))


def read_mpii(ann_file: str | Path) -> list[Any]:
    """The people of a file in MPII's form.

    Raises:
        DataError: If it is missing, no JSON or no list.
    """
    if not Path(ann_file).is_file():
        raise DataError(
            f'the annotation file {ann_file} is missing: put it there, or correct data_root and ann_file '
            'of the dataset in the config'
        )
    people = read_json(ann_file, 'an MPII annotation file')
    if not isinstance(people, list) or not people:
        raise DataError(f'{ann_file} is not an MPII annotation file: it must be a JSON list of people')
    return people


def person_fault(person: Any, num_keypoints: int | None) -> str | None:
    """What is wrong with one entry, if anything."""
    keys = ('image', 'center', 'scale') + (() if num_keypoints is None else ('joints', 'joints_vis'))
    lacking = [key for key in keys if key not in person] if isinstance(person, dict) else ['JSON object around it']
    if lacking:
        return f'has no {" and no ".join(lacking)}'
    if not isinstance(person['image'], str) or not person['image'].split('.')[0].isdigit():
        return f"has the image {reprlib.repr(person['image'])}, but MPII's names are numbers such as 015601864.jpg"
    if not _finite(person['center'], (2,)):
        return f'has the center {reprlib.repr(person["center"])}, expected x and y'
    if not _finite(person['scale'], ()) or person['scale'] <= 0:
        return f'has the scale {reprlib.repr(person["scale"])}, expected a number above 0'
    if num_keypoints is not None:
        for key, shape in (('joints', (num_keypoints, 2)), ('joints_vis', (num_keypoints,))):
            if not _finite(person[key], shape):
                return f'has {key} that are not {" x ".join(map(str, shape))} finite numbers'
        if not set(person['joints_vis']) <= {0, 1}:
            return (
                f'has the joints_vis {reprlib.repr(person["joints_vis"])}, but they weigh the loss and must be 0 '
                'or 1 (MPII tells no covered joints apart)'
            )
    return None


def _finite(value: Any, shape: tuple[int, ...]) -> bool:
    """Whether this is a number, or a nested list of numbers of the shape, all finite."""
    try:
        array = np.asarray(value)
    except ValueError:  # lists of different lengths
        return False
    return array.shape == shape and array.dtype.kind in 'iuf' and bool(np.isfinite(array).all())


def _check_head_boxes(file: str, ann_file: str | Path, count: int) -> None:
    """Check that there is one finite head box per person."""
    if not Path(file).is_file():
        raise DataError(f'the head boxes {file} are missing, without which PCKh cannot be computed: {_FETCH}')
    try:
        boxes = loadmat(file).get('headboxes_src')
    except Exception as error:  # SciPy raises whatever a damaged file leads to
        raise DataError(f'{file} is not a MATLAB file ({error}): fetch it again; {_FETCH}') from error
    if boxes is None or boxes.ndim != 3 or boxes.shape[:2] != (2, 2):
        raise DataError(f'{file} holds no headboxes_src of shape 2 x 2 x people: {_FETCH}')
    if boxes.shape[2] != count:
        raise DataError(
            f'{file} has {boxes.shape[2]} head boxes, but {ann_file} has {count} people: they belong to '
            'different splits'
        )
    if not np.isfinite(boxes).all() or not (np.linalg.norm(boxes[1] - boxes[0], axis=0) > 0).all():
        raise DataError(f'{file} holds a head box without extent or with a value that is no number: fetch it again')
