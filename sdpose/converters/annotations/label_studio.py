"""Exports of Label Studio, JSON and JSON_MIN: boxes and joints in percent of their picture, joints by their names."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlparse

from sdpose.errors import DataError, first_few

from .coco_file import CocoFile, Joint, picture_size
from .joint_names import settle_names

_UPLOADED = re.compile(r'^[0-9a-f]{4,10}-')
_PICTURES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff', '.gif')
Region = dict[str, Any]


def convert_label_studio(
    file: Path, tasks: list[Any], pictures: Path, joints: Sequence[str] | None
) -> tuple[CocoFile, list[str]]:
    """Convert an export.

    Args:
        file: For messages.
        tasks: What it holds.
        pictures: The folder of the pictures.
        joints: Names of joints, in the order that is wanted; None for the order in which the file first names them.

    Returns:
        The annotations, and remarks.

    Raises:
        DataError: If a picture is missing, or there are no joints in the file.
        UserError: If the file has joints that are not among the names.
    """
    read = [(_picture(task, place, file), *_regions(task)) for place, task in enumerate(tasks)]
    found = list(dict.fromkeys(label for _, regions, _ in read for each in regions for label in _joint_labels(each)))
    if not found:
        raise DataError(f'{file} holds no key points: they are drawn by KeyPointLabels in the labelling interface')
    remarks = []
    if joints is None:
        names, _ = settle_names(None, found, len(found), str(file))
        remarks.append(
            f'the order of joints is guessed: as {file} first names them, {", ".join(names)} (or give --joints)'
        )
    else:
        names = list(joints)
        if strangers := [name for name in found if name not in names]:
            raise DataError(f'{file} has joints that --joints does not name: {first_few(strangers)}')
    content = CocoFile(names)
    turned = doubled = lost = several = beside = 0
    for name, regions, others in read:
        path = _find(pictures, name, file)
        size = picture_size(path)
        several += bool(others)
        content.add_image(path.relative_to(pictures).as_posix(), size)
        for box, own in _people(regions):
            twice = [label for each in own for label in _joint_labels(each)]
            doubled += len(twice) > len(set(twice))
            turned += bool(box and _values(box).get('rotation'))
            beside += box is None and any(map(_is_box, regions))
            lost += not content.add_person(_joints(own, names, size), _box(box, size) if box else None)
    for count, words in (
        (several, 'pictures were annotated by several people, of whom the first is taken'),
        (turned, 'boxes are turned in Label Studio, and taken without it'),
        (doubled, 'people have a joint twice, of which the last is taken: give each person a box, or relations'),
        (beside, 'pictures have joints outside of all boxes, which are taken for a person of their own'),
        (lost, 'people lie outside their picture and are left out'),
    ):
        if count:
            remarks.append(f'{count} {words}')
    return content, remarks


def _picture(task: Any, place: int, file: Path) -> str:
    """The name of a task's picture, as it was before it was uploaded."""
    data = task.get('data', task) if isinstance(task, dict) else {}
    names = [value for value in data.values() if isinstance(value, str) and _name_of(value).lower().endswith(_PICTURES)]
    if not names:
        raise DataError(f'{file}: task {place} (counted from 0) names no picture')
    return _name_of(names[0])


def _name_of(address: str) -> str:
    """The path in an address; that of a file of the server stands behind ``?d=``."""
    parts = urlparse(address)
    return parse_qs(parts.query).get('d', [unquote(parts.path)])[0].replace('\\', '/')


def _find(pictures: Path, name: str, file: Path) -> Path:
    """A picture in its folder, by its whole path, its name, or this without what an upload puts before it."""
    last = name.split('/')[-1]
    parts = name.strip('/').split('/')
    tries = ['/'.join(parts[start:]) for start in range(len(parts))] + [_UPLOADED.sub('', last)]
    found = next((pictures / each for each in tries if (pictures / each).is_file()), None)
    if found is None:
        raise DataError(f'{file}: the picture {last} is not in {pictures}: name their folder by --images')
    return found


def _regions(task: Any) -> tuple[list[Region], int]:
    """The regions of a task's first annotation that was not cancelled, and how many other ones there are."""
    done = task.get('annotations', task.get('completions'))
    if isinstance(done, list):
        valid = [each for each in done if isinstance(each, dict) and not each.get('was_cancelled')]
        results = valid[0].get('result') if valid else []
        return [each for each in results or [] if isinstance(each, dict)], max(len(valid) - 1, 0)
    lists = [value for value in task.values() if isinstance(value, list)]  # of JSON_MIN
    return [each for value in lists for each in value if isinstance(each, dict)], 0


def _values(region: Region) -> Region:
    value = region.get('value')
    return value if isinstance(value, dict) else region


def _numbers(region: Region, *keys: str) -> list[float]:
    values = [_values(region).get(key) for key in keys]
    if not all(type(value) in (int, float) for value in values):
        raise DataError(
            f'an export of Label Studio has a region without numbers for {", ".join(keys)}: {region!r:.200}'
        )
    return [float(value or 0) for value in values]


def _joint_labels(region: Region) -> list[str]:
    """The name of a joint; none of another region."""
    labels = _values(region).get('keypointlabels')
    return [str(labels[0])] if isinstance(labels, list) and labels else []


def _is_box(region: Region) -> bool:
    return 'rectanglelabels' in _values(region) or region.get('type') in ('rectangle', 'rectanglelabels')


def _people(regions: Sequence[Region]) -> Iterator[tuple[Region | None, list[Region]]]:
    """Boxes with the joints that belong to them: by parent, by relation, or because they lie in the box.

    Joints without a box are one person.
    """
    boxes = [each for each in regions if _is_box(each)]
    joints = [each for each in regions if _joint_labels(each)]
    owners: dict[Any, Any] = {}
    for each in regions:
        if each.get('type') == 'relation':
            owners[each.get('to_id')] = each.get('from_id')
            owners.setdefault(each.get('from_id'), each.get('to_id'))
    known = {box.get('id'): place for place, box in enumerate(boxes) if box.get('id') is not None}
    own: list[list[Region]] = [[] for _ in boxes]
    rest: list[Region] = []
    for joint in joints:
        place = known.get(joint.get('parentID'), known.get(owners.get(joint.get('id'))))
        if place is None:
            place = _smallest_around(joint, boxes)
        (rest if place is None else own[place]).append(joint)
    if len(boxes) == 1:  # a joint beside the only box belongs to it
        own[0], rest = own[0] + rest, []
    yield from zip(boxes, own, strict=True)
    if rest:
        yield None, rest


def _smallest_around(joint: Region, boxes: Sequence[Region]) -> int | None:
    """The smallest box in which a joint lies."""
    x, y = _numbers(joint, 'x', 'y')
    around = []
    for place, box in enumerate(boxes):
        left, top, width, height = _numbers(box, 'x', 'y', 'width', 'height')
        if left <= x <= left + width and top <= y <= top + height:
            around.append((width * height, place))
    return min(around)[1] if around else None


def _box(region: Region, size: tuple[int, int]) -> list[float]:
    x, y, width, height = (value / 100 for value in _numbers(region, 'x', 'y', 'width', 'height'))
    return [x * size[0], y * size[1], width * size[0], height * size[1]]


def _joints(regions: Sequence[Region], names: Sequence[str], size: tuple[int, int]) -> list[Joint]:
    """Joints in the order of their names; Label Studio does not tell covered ones."""
    joints: list[Joint] = [(0, 0, 0)] * len(names)
    for each in regions:
        x, y = (value / 100 for value in _numbers(each, 'x', 'y'))
        joints[names.index(_joint_labels(each)[0])] = (x * size[0], y * size[1], 2)
    return joints
