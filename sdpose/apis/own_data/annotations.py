"""The people, or other subjects, of an annotation file: read, checked, and completed where a tool left gaps."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sdpose.datasets.joint_box import AREA
from sdpose.errors import DataError, UserError, first_few
from sdpose.preflight import coco_fields
from sdpose.preflight.annotation_file import check_ids, read_content, require_annotation_file, require_lists
from sdpose.preflight.coco import check_listed
from sdpose.preflight.entries import flat

_MARGIN = 0.1  # of a box around joints, on each side


class Subjects(NamedTuple):
    """What an annotation file says of the chosen category.

    Attributes:
        file: The file.
        images: Its images, each with ``width`` and ``height`` if the file has them.
        annotations: Those of the category with key points, complete, of category 1.
        category: The name of the category.
        joints: Names of the joints, in the order of the key points.
        limbs: Pairs of places in ``joints``.
        guesses: What was filled in, one sentence each.
    """

    file: Path
    images: list[dict[str, Any]]
    annotations: list[dict[str, Any]]
    category: str
    joints: tuple[str, ...]
    limbs: tuple[tuple[int, int], ...]
    guesses: tuple[str, ...]


def read_subjects(file: Path, chosen: Sequence[str] = (), joints: Sequence[str] = ()) -> Subjects:
    """Read the subjects of one category, or of several with the same joints, which become one.

    Args:
        file: A COCO-style annotation file.
        chosen: Names or ids of categories; none are needed where one alone has key points.
        joints: Names of the joints, where the file does not tell them.

    Raises:
        DataError: If the file is missing, not COCO, or an entry is incomplete or damaged.
        UserError: If categories, or names of joints, must be given or do not fit.
    """
    require_annotation_file(file, 'correct its name')
    content = read_content(file)
    if isinstance(content, dict) and isinstance(content.get('images'), list):
        content = {**content, 'images': [_without_empty_size(image) for image in content['images']]}
    require_lists(file, content)
    coco_fields.check_entries(file, 'image', content['images'], ('id', 'file_name'))
    coco_fields.check_images(file, content['images'])
    coco_fields.check_entries(file, 'annotation', content['annotations'], ('id',))
    check_ids(file, content)
    annotated = [flat(ann) for ann in content['annotations'] if ann.get('keypoints')]
    if not annotated:
        raise DataError(f'{file} annotates no key points: export these, as COCO Keypoints, not boxes or outlines')
    coco_fields.check_entries(file, 'annotation', annotated, coco_fields.ANNOTATION_KEYS)
    coco_fields.check_annotations(file, list(map(_with_box, annotated)), None)
    categories = _choose(file, content.get('categories'), annotated, chosen)
    names = _joints_of(file, categories, joints)
    kinds = {category['id'] for category in categories}
    people = [ann for ann in annotated if ann['category_id'] in kinds]
    _require_count(joints, people)
    coco_fields.check_annotations(file, list(map(_with_box, people)), len(names))
    check_listed(file, people, {image['id'] for image in content['images']})
    limbs, odd = _limbs_of(categories[0], len(names))
    people, guesses = _complete(people)
    name = categories[0]['name'] if len(categories) == 1 else 'several kinds'
    return Subjects(file, content['images'], people, str(name), names, limbs, (*odd, *guesses))


def is_usable(annotation: dict[str, Any]) -> bool:
    """Whether a training reads it: no crowd, and a joint is labelled."""
    return not annotation['iscrowd'] and annotation['num_keypoints'] > 0


def _without_empty_size(image: Any) -> Any:
    """An entry without a width or height of 0 or null, which stands for one that is not known."""
    if not isinstance(image, dict):
        return image
    return {key: value for key, value in image.items() if value or key not in ('width', 'height')}


def _choose(file: Path, listed: Any, annotated: list[dict[str, Any]], chosen: Sequence[str]) -> list[dict[str, Any]]:
    """The categories to read, of those that have annotations with key points."""
    counts = Counter(ann['category_id'] for ann in annotated)
    listed = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    by_id = {each['id']: each for each in listed if type(each.get('id')) is int}
    found = [{'name': f'category {number}', **by_id.get(number, {}), 'id': number} for number in counts]
    said = ', '.join(f'{each["name"]} ({counts[each["id"]]})' for each in found)
    if not chosen:
        if len(found) > 1:
            raise UserError(
                f'{file} has key points of {len(found)} categories: {said}; say which by --category NAME, or several '
                'of the same joints by --category NAME NAME'
            )
        return found
    picked = []
    for word in chosen:
        fits = [each for each in found if word.casefold() in (str(each['name']).casefold(), str(each['id']))]
        if not fits:
            raise UserError(f'--category {word}: {file} has no key points of it; there are {said}')
        picked += [each for each in fits if each not in picked]
    return picked


def _joints_of(file: Path, categories: list[dict[str, Any]], given: Sequence[str]) -> tuple[str, ...]:
    """The names of the joints that categories share, or those that were given."""
    lists = [tuple(map(str, each['keypoints'])) if _is_list(each.get('keypoints')) else () for each in categories]
    for category, names in zip(categories, lists):
        if not given and not names:
            raise UserError(
                f'{file}: its category {category["name"]!r} does not name its joints: give them in the order of the '
                'key points, --joints nose,left_eye,right_eye'
            )
        if not given and names != lists[0]:
            raise UserError(
                f'{file}: {categories[0]["name"]!r} and {category["name"]!r} have other joints: write a data set of '
                'each'
            )
    names, where = (tuple(given), '--joints') if given else (lists[0], f'{file}: category {categories[0]["name"]!r}')
    plain = Counter(name.strip().casefold() for name in names)
    twice = [name for name, count in plain.items() if count > 1]
    if twice or '' in plain:
        fault = f'names two joints {twice[0]!r}' if twice else 'has a joint without a name'
        raise UserError(f'{where} {fault}: each needs a name of its own{"" if given else ", or give --joints a,b,c"}')
    return names


def _require_count(given: Sequence[str], people: Sequence[dict[str, Any]]) -> None:
    """Check that as many names are given as most people have joints."""
    lengths = Counter(len(ann['keypoints']) for ann in people)
    usual = lengths.most_common(1)[0][0] if lengths else 0
    if given and usual != 3 * len(given):
        raise UserError(
            f'--joints gives {len(given)} names, but most annotations have {usual} numbers in keypoints, which is '
            f'{usual / 3:g} joints of x, y, visibility: name each, in their order'
        )


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and bool(value)


def _limbs_of(category: dict[str, Any], count: int) -> tuple[tuple[tuple[int, int], ...], list[str]]:
    """The limbs of a category from 0 on, and what had to be guessed: COCO counts joints from 1, some tools from 0."""
    given = category.get('skeleton')
    listed = given if isinstance(given, list) else []
    pairs = [pair for pair in listed if _is_pair(pair)]
    if not pairs:
        return (), ['the file has no skeleton: joints are drawn without limbs; skeleton_info takes them']
    first = 0 if min(map(min, pairs)) == 0 else 1
    limbs = tuple((a - first, b - first) for a, b in pairs)
    inside = tuple(pair for pair in limbs if 0 <= min(pair) and max(pair) < count and pair[0] != pair[1])
    said = ['the skeleton counts joints from 0, not from 1 as COCO does'] if first == 0 else []
    if len(inside) < len(listed):
        said.append(f'{len(listed) - len(inside)} limb(s) of the skeleton link no two joints and are left out')
    return inside, said


def _is_pair(pair: Any) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and all(type(end) is int for end in pair)


def _lacks_box(ann: dict[str, Any]) -> bool:
    return ann.get('bbox') in (None, [])


def _with_box(ann: dict[str, Any]) -> dict[str, Any]:
    """An annotation for the checks, which ask for a box."""
    return {**ann, 'bbox': [0, 0, 1, 1]} if _lacks_box(ann) else ann


def _complete(people: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[str]]:
    """Annotations with all that a training and COCO's evaluation read, and what was filled in."""
    done, boxes, areas = [], [], []
    for ann in people:
        joints = np.reshape(ann['keypoints'], (-1, 3))
        labelled = joints[joints[:, 2] > 0, :2]
        full = {'iscrowd': 0, **ann, 'num_keypoints': len(labelled), 'category_id': 1}
        if _lacks_box(ann):
            full['bbox'] = _box_around(labelled)
            boxes += [str(ann['id'])] * is_usable(full)
        if not ann.get('area'):
            full['area'] = AREA * full['bbox'][2] * full['bbox'][3]
            areas += [str(ann['id'])] * is_usable(full)
        done.append(full)
    guesses = []
    if boxes:
        guesses.append(
            f'boxes around the joints, with a margin of a tenth, for {len(boxes)} without one (id {first_few(boxes)})'
        )
    if areas:
        guesses.append(f'areas for {len(areas)} without one (id {first_few(areas)}): {AREA} of the box')
    return done, guesses


def _box_around(points: np.ndarray) -> list[float]:
    """x, y, width, height around points (N, 2); no box around none."""
    if not len(points):
        return [0, 0, 0, 0]
    low, high = points.min(axis=0), points.max(axis=0)
    margin = _MARGIN * np.maximum(high - low, 1)
    return [round(float(number), 2) for number in (*(low - margin), *(high - low + 2 * margin))]
