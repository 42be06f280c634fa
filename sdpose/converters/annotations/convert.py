"""Finding out which tool wrote annotations, and writing them as annotation files of COCO's form."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from sdpose.errors import DataError, UserError
from sdpose.io.atomic import atomic_write
from sdpose.io.json_file import read_json

from .coco_file import CocoFile
from .joint_names import read_names, settle_names
from .label_studio import convert_label_studio
from .yolo import convert_described, convert_labels, find_description, numbers_of_labels

Converted = tuple[str, CocoFile, Path, list[str]]


class Conversion(NamedTuple):
    """A file that was written.

    Attributes:
        file: The annotation file.
        images: The folder of its pictures.
        pictures: How many it lists.
        people: How many are annotated.
        joints: Their names.
        remarks: What was guessed, or left out.
    """

    file: Path
    images: Path
    pictures: int
    people: int
    joints: list[str]
    remarks: list[str]


def convert_annotations(
    source: str | Path, out: str | Path, images: str | Path | None = None, joints: str | None = None
) -> list[Conversion]:
    """Turn what an annotation tool wrote into annotation files of COCO's form.

    Args:
        source: A data set of YOLO (its folder or ``data.yaml``), a folder of its label files, or an export of Label
            Studio (JSON or JSON_MIN).
        out: Folder for the files: ``train.json`` and so on of a data set with splits, otherwise ``annotations.json``.
        images: The folder of the pictures, where ``source`` does not say.
        joints: Names of the joints, separated by commas, or a file with one in a line, where ``source`` does not say.

    Raises:
        UserError: If nobody knows the joints or the pictures.
        DataError: If ``source`` is none of these, or something in it is wrong.
    """
    path, folder = Path(source), Path(out)
    names = read_names(joints) if joints is not None else None
    done = list(_convert(path, None if images is None else Path(images), names))
    written = []
    for name, content, pictures, remarks in done:
        if not content.annotations:
            raise DataError(f'{source}: nobody is annotated in {name}')
        with atomic_write(folder / f'{name}.json', 'w') as stream:
            json.dump(content.content(), stream)
        counts = len(content.images), len(content.annotations)
        written.append(Conversion(folder / f'{name}.json', pictures, *counts, content.joints, remarks))
    return written


def _convert(source: Path, images: Path | None, names: Sequence[str] | None) -> Iterator[Converted]:
    if not source.exists():
        raise DataError(f'{source} is missing: name a folder of YOLO, its data.yaml, or an export of Label Studio')
    if images is not None and not images.is_dir():
        raise UserError(f'--images {images} is no folder')
    description = find_description(source)
    if description is not None:
        yield from convert_described(description, names)
    elif source.is_dir():
        yield _convert_folder(source, images, names)
    else:
        tasks = read_json(source, 'an export of Label Studio, nor a data.yaml of YOLO')
        if not isinstance(tasks, list) or not tasks or not all(isinstance(each, dict) for each in tasks):
            raise DataError(f'{source} is no export of Label Studio: it must be a JSON list of tasks')
        if images is None:
            raise UserError(f'{source} does not hold its pictures: name their folder by --images')
        yield ('annotations', *_with_pictures(images, convert_label_studio(source, tasks, images, names)))


def _convert_folder(labels: Path, images: Path | None, names: Sequence[str] | None) -> Converted:
    """Label files of YOLO without a description."""
    if images is None:
        raise UserError(f'{labels} holds no data.yaml that names its pictures: name their folder by --images')
    count, numbers = numbers_of_labels(labels, names)
    known, guess = settle_names(names, None, count, str(labels))
    content, remarks = convert_labels(labels, images, known, numbers, {})
    return 'annotations', content, images, [guess, *remarks] if guess else remarks


def _with_pictures(images: Path, done: tuple[CocoFile, list[str]]) -> tuple[CocoFile, Path, list[str]]:
    return done[0], images, done[1]
