"""Data sets in the form of YOLO: a label file per picture, boxes and joints in fractions of it.

A line is ``class x y width height`` (the centre of the box) and then ``x y`` or ``x y visibility`` of each joint.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from sdpose.errors import DataError, UserError, first_few

from .coco_file import CocoFile, Joint, picture_size
from .joint_names import settle_names

_SPLITS = ('train', 'val', 'test')
_ENDINGS = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')


def find_description(source: Path) -> Path | None:
    """The file that describes a data set, ``data.yaml`` or the only one of its folder; None without one."""
    if source.is_file():
        return source if source.suffix in ('.yaml', '.yml') else None
    found = sorted(each for each in source.iterdir() if each.suffix in ('.yaml', '.yml'))
    named = [each for each in found if each.stem in ('data', 'dataset')]
    return (named or found)[0] if len(named or found) == 1 else None


def convert_described(file: Path, joints: Sequence[str] | None) -> Iterator[tuple[str, CocoFile, Path, list[str]]]:
    """Convert what a description names.

    Args:
        file: The description, with ``kpt_shape``, ``names`` and the folders of pictures of ``train``, ``val`` and
            ``test``; ``kpt_names`` if it has them.
        joints: Names of joints that a user gives.

    Yields:
        Name, annotations and picture folder of each split, and remarks.

    Raises:
        DataError: If something is missing or wrong.
        UserError: If nobody knows the names of the joints.
    """
    about = _read(file)
    shape = about.get('kpt_shape')
    if not (isinstance(shape, list) and len(shape) == 2 and type(shape[0]) is int and shape[1] in (2, 3)):
        raise DataError(f'{file}: kpt_shape must be [joints, 2 or 3], is {shape!r}: only poses are converted')
    names, guess = settle_names(joints, _kpt_names(about.get('kpt_names')), shape[0], str(file))
    root = Path(os.path.join(file.parent, about.get('path') or '.'))
    splits = [split for split in _SPLITS if about.get(split)]
    if not splits:
        raise DataError(f'{file} names no folder of pictures: none of {", ".join(_SPLITS)}')
    for split in splits:
        if not isinstance(about[split], str) or about[split].endswith('.txt'):
            raise DataError(f'{file}: {split} must be one folder of pictures, is {about[split]!r}: gather them in one')
        pictures = _existing(root, file.parent, about[split], file)
        content, remarks = convert_labels(_labels_of(pictures), pictures, names, shape[1], _classes(about.get('names')))
        yield split, content, pictures, [guess, *remarks] if guess else remarks
        guess = ''


def _read(file: Path) -> dict[str, Any]:
    try:
        about = yaml.safe_load(file.read_text('utf-8'))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DataError(f'{file} cannot be read as YAML: {" ".join(str(error).split())}') from error
    if not isinstance(about, dict):
        raise DataError(f'{file} does not describe a data set of YOLO: it must hold kpt_shape, names and train')
    return about


def _kpt_names(names: Any) -> list[str] | None:
    """Names of joints, in a list, by number, or by class and then in a list."""
    if isinstance(names, dict):
        values = [names[key] for key in sorted(names)]
        names = values[0] if values and isinstance(values[0], list) else values
    return [str(name) for name in names] if isinstance(names, list) and names else None


def _classes(names: Any) -> dict[int, str]:
    if isinstance(names, list):
        return {number: str(name) for number, name in enumerate(names)}
    return {int(number): str(name) for number, name in names.items()} if isinstance(names, dict) and names else {}


def _existing(root: Path, beside: Path, name: str, file: Path) -> Path:
    """The folder of pictures below the root that a description names, or beside the description itself."""
    places = [root / name, beside / name, beside / name.removeprefix('../')]
    found = next((place for place in places if place.is_dir()), None)
    if found is None:
        raise DataError(f'{file} names the folder {name}, and there is none at {places[0]} or {places[1]}')
    return Path(os.path.normpath(found))


def _labels_of(pictures: Path) -> Path:
    """Where the labels of a folder of pictures lie: in ``labels`` in place of its last ``images``, or beside them."""
    parts = list(pictures.parts)
    if 'images' in parts:
        place = len(parts) - 1 - parts[::-1].index('images')
        labels = Path(*parts[:place], 'labels', *parts[place + 1 :])
        if labels.is_dir():
            return labels
    return pictures


def convert_labels(
    labels: Path, pictures: Path, names: Sequence[str], numbers: int, classes: dict[int, str]
) -> tuple[CocoFile, list[str]]:
    """Convert the label files of a folder.

    Args:
        labels: The folder.
        pictures: That of the pictures; files of one name, but for the ending, belong together.
        names: Of the joints.
        numbers: Of each joint: 2 without visibility, 3 with it.
        classes: Names by number; empty if unknown.

    Returns:
        The annotations, and remarks.

    Raises:
        DataError: If a line is no person of so many joints, or a picture cannot be read.
    """
    content, without = CocoFile(names, dict(classes)), []
    files = sorted(path for path in pictures.rglob('*') if path.suffix.lower() in _ENDINGS)
    if not files:
        raise DataError(f'{pictures} holds no picture ({" ".join(_ENDINGS)})')
    known = {path.relative_to(labels).with_suffix('') for path in labels.rglob('*.txt')}
    for path in files:
        name = path.relative_to(pictures)
        size = picture_size(path)
        content.add_image(name.as_posix(), size)
        if name.with_suffix('') not in known:
            without.append(name.as_posix())
            continue
        known.remove(name.with_suffix(''))
        file = (labels / name).with_suffix('.txt')
        for number, line in enumerate(_lines(file), 1):
            if line.strip():
                kind, box, joints = _person(line, f'{file}, line {number}', len(names), numbers, size)
                content.classes.setdefault(kind, 'person' if kind == 0 else f'class {kind}')
                content.add_person(joints, box, kind)
    remarks = []
    if without:
        remarks.append(
            f'{len(without)} of {len(files)} pictures have no label file, and nobody on them: {first_few(without)}'
        )
    if known:
        shown = first_few(sorted(f'{name}.txt' for name in known))
        remarks.append(f'{len(known)} label files of {labels} have no picture in {pictures} and are left out: {shown}')
    return content, remarks


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text('utf-8').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f'the label file {file} cannot be read: {error}') from error


def _person(
    line: str, where: str, count: int, numbers: int, size: tuple[int, int]
) -> tuple[int, list[float], list[Joint]]:
    """Class, box and joints in pixels of a line."""
    try:
        kind, *values = line.split()
        number, found = int(kind), [float(value) for value in values]
    except ValueError as error:
        raise DataError(f'{where}: a class and numbers are expected, there is {line.strip()!r}') from error
    if len(found) != 4 + count * numbers:
        raise DataError(
            f'{where}: {len(found)} numbers stand behind the class, expected {4 + count * numbers}: 4 of the box and '
            f'{numbers} of each of {count} joints'
        )
    x, y, width, height = found[:4]
    if not all(-0.5 <= value <= 1.5 for value in found[:4]):
        raise DataError(f'{where}: the box {found[:4]} is not in fractions of the picture, from 0 to 1')
    box = [(x - width / 2) * size[0], (y - height / 2) * size[1], width * size[0], height * size[1]]
    joints: list[Joint] = []
    for place in range(4, len(found), numbers):
        along, down = found[place : place + 2]
        flag = int(found[place + 2]) if numbers == 3 else 2 * bool(along or down)
        joints.append((along * size[0], down * size[1], flag if flag in (0, 1, 2) else 2))
    return number, box, joints


def numbers_of_labels(labels: Path, joints: Sequence[str] | None) -> tuple[int, int]:
    """How many joints a person of label files has, and how many numbers each, from the first line that there is.

    Raises:
        DataError: If there is no line.
        UserError: If only the names of the joints could tell.
    """
    lines = (line for path in sorted(labels.rglob('*.txt')) for line in _lines(path))
    first = next((line for line in lines if line.strip()), None)
    if first is None:
        raise DataError(f'{labels} holds no label file with a line in it')
    count = len(first.split()) - 5
    if joints is not None:
        if count in (2 * len(joints), 3 * len(joints)):
            return len(joints), count // len(joints)
        raise UserError(
            f'--joints names {len(joints)} joints, but a line of {labels} has {count} numbers behind its box'
        )
    if count <= 0 or count % 3:
        raise UserError(
            f'a line of {labels} has {count} numbers behind its box: give --joints with the names of the joints'
        )
    return count // 3, 3
