"""A data set of COCO's form from a video or pictures, with a teacher's joints as labels."""

import json
import logging
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import print_log

from sdpose.apis.inference.boxes import detected_boxes
from sdpose.apis.inference.sources import Source, open_source
from sdpose.config.joint_sides import same_joints
from sdpose.converters.annotations.coco_file import CocoFile
from sdpose.errors import DataError, UserError, first_few
from sdpose.io.folders import atomic_folder, signals_unwind
from sdpose.io.pictures import read_picture, write_picture
from sdpose.io.progress import Report
from sdpose.visualization import Skeleton, contact_sheet, draw_people, sides_of
from sdpose.visualization.scaling import evenly_spaced

from .blaze_pose import LIMBS, BlazePose, TaughtPerson

SHEET = 'contact_sheet.png'
_SHOWN = 12  # pictures of the sheet
_RANGES: dict[str, tuple[Callable[[float], bool], str]] = {
    'every': (lambda value: value >= 1, 'a whole number from 1'),
    'box_score': (lambda value: 0 <= value <= 1, '0 to 1'),
    'least': (lambda value: 0 <= value <= 1, '0 to 1'),
    'val_share': (lambda value: 0 <= value < 1, '0 or more, below 1'),
}


@dataclass
class Labelled:
    """What :func:`label` made, and how.

    Attributes:
        joints: Names of the joints.
        limbs: Pairs of them, by their places.
        least: How sure the teacher must be of a person, and of a joint.
        pictures: File name, width and height, number in the source and people of each picture with anybody on it.
        empty: How many had nobody.
        bad: How many could not be read.
    """

    joints: Sequence[str]
    limbs: Sequence[tuple[int, int]]
    least: float
    pictures: list[tuple[str, tuple[int, int], int, list[TaughtPerson]]] = field(default_factory=list)
    empty: int = 0
    bad: int = 0

    @property
    def people(self) -> int:
        """How many people are labelled."""
        return sum(len(people) for *_, people in self.pictures)


def label(
    inputs: Any,
    out: str | Path,
    teacher: BlazePose,
    finder: Callable[[np.ndarray], Any],
    joints: Sequence[str],
    origin: dict[str, Any],
    every: int = 1,
    box_score: float = 0.3,
    least: float = 0.5,
    val_share: float = 0.2,
    progress: Report = lambda done, total, note='': None,
) -> dict[str, Labelled]:
    """Make a data set of what a teacher sees.

    A joint that it takes for visible gets the flag 2, one that it takes for hidden 1, one that lies outside of what it
    looked at, or of the picture, 0; ``keypoint_scores`` holds how likely each is visible. The last pictures, in time or
    by name, are held out, since neighbouring frames of a video are nearly alike. What cannot be read is named and
    passed over.

    Args:
        inputs: A video, a folder of pictures or a pattern, as of :class:`sdpose.PoseInferencer`.
        out: The folder to make: ``train``, ``val``, ``annotations`` and a contact sheet. Of videos, frames are written;
            picture files are copied.
        teacher: Finds the joints of people in boxes.
        finder: Finds boxes: a picture (H, W, 3), BGR, to (N, 5): left, top, right, bottom in pixels and score.
        joints: Names of the joints to label, in their order, among those of the teacher.
        origin: What is written of the teacher into the annotations' ``info``.
        every: Take every so-manieth picture.
        box_score: Boxes with a lower score are left out.
        least: People of whom the teacher is less sure are left out.
        val_share: The share of the pictures that is held out.
        progress: Told of each picture.

    Returns:
        What was labelled, by split.

    Raises:
        UserError: If an option is wrong, the folder is not empty, or the teacher does not know a joint.
        DataError: If the inputs cannot be read, or nobody was found.
    """
    check_request(out, joints, teacher.names, every=every, box_score=box_score, least=least, val_share=val_share)
    order, folder = _matched(joints, teacher.names), Path(out)
    source = open_source(inputs)
    if source.kind == 'live':
        raise UserError(f'{source.name} is a camera: record a video, and name its file')
    with signals_unwind(), atomic_folder(folder) as partial:
        done = Labelled(joints, _limbs(order, teacher.names), least)
        _label_all(source, partial, done, teacher, order, detected_boxes(finder, box_score), every, progress)
        splits = _split(done, val_share, source.name)
        _write_splits(partial, splits, dict(origin, source=source.name, every=every, least=least))
        _write_sheet(partial, splits['train'])
    return splits


def check_request(out: str | Path, joints: Sequence[str], landmarks: Sequence[str], **options: float) -> None:
    """Refuse what :func:`label` would, before a teacher is loaded.

    Args:
        out: The folder to make.
        joints: Names of the joints to label.
        landmarks: Names of those that the teacher knows.
        **options: Of :func:`label`, those that have a range.

    Raises:
        UserError: If an option is out of its range, the folder is not empty, or the teacher does not know a joint.
    """
    for name, value in options.items():
        fits, wanted = _RANGES[name]
        if not fits(value):
            raise UserError(f'--{name.replace("_", "-")} {value}: give {wanted}')
    _matched(joints, landmarks)
    folder = Path(out)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f'--out {out} is there and not empty: name a new folder')


def _matched(joints: Sequence[str], names: Sequence[str]) -> list[int]:
    """The places of joints among a teacher's landmarks.

    Raises:
        UserError: If it does not know one.
    """
    places = {name: place for place, name in enumerate(same_joints(names))}
    found = [places.get(joint) for joint in same_joints(joints)]
    if None in found:
        unknown = first_few([name for name, place in zip(joints, found) if place is None])
        raise UserError(f'the teacher has no landmark {unknown}: give --joints of {", ".join(names)}')
    return [place for place in found if place is not None]


def _limbs(order: Sequence[int], names: Sequence[str]) -> list[tuple[int, int]]:
    """The limbs between joints that lie at places among landmarks of these names."""
    places = {names[place]: joint for joint, place in enumerate(order)}
    return [(places[a], places[b]) for a, b in LIMBS if a in places and b in places]


def _label_all(
    source: Source,
    folder: Path,
    done: Labelled,
    teacher: BlazePose,
    order: Sequence[int],
    find: Callable,
    every: int,
    progress: Report,
) -> None:
    """Look at every picture; those with people are written below ``pictures``."""
    (folder / 'pictures').mkdir()

    def pass_over(error: DataError) -> None:
        done.bad += 1
        print_log(f'{error}: it is passed over', 'current', logging.WARNING)

    number = -1
    for number, name, image in source.read(lambda number: number % every == 0, pass_over):
        if number % every == 0 and image is not None:
            boxes, _ = find(number, name, image)
            taught = [each for each in teacher(image, boxes) if each.score >= done.least]
            people = [
                each._replace(places=each.places[order], visible=each.visible[order], there=each.there[order])
                for each in taught
            ]
            people = [each for each in people if _flags(each, image.shape, done.least).any()]
            if people:
                file = _write(source, folder / 'pictures', number, name, image)
                done.pictures.append((file, (image.shape[1], image.shape[0]), number, people))
            else:
                done.empty += 1
        progress(number + 1, source.total, f'{done.people} people')
    _tell_of_missing(source, done, number + 1)


def _tell_of_missing(source: Source, done: Labelled, read: int) -> None:
    """Say how many pictures were passed over, and how many frames a video has that did not come."""
    if done.bad:
        print_log(f'{done.bad} of {source.total} pictures could not be read', 'current', logging.WARNING)
    if source.kind == 'video' and source.total is not None and read < source.total:
        text = f'{source.name} says that it has {source.total} frames, of which {read} could be read: the others are'
        print_log(f'{text} damaged, or not there', 'current', logging.WARNING)


def _write(source: Source, folder: Path, number: int, name: str, image: np.ndarray) -> str:
    """A picture below the folder, under a name that is free."""
    if source.kind == 'pictures' and Path(name).is_file():
        file = Path(name).name
        if (folder / file).exists():
            file = f'{number:06d}_{file}'
        shutil.copyfile(name, folder / file)
        return file
    file = f'{Path(source.name).stem}_{number:06d}.jpg'
    write_picture(folder / file, image)
    return file


def _split(done: Labelled, share: float, name: str) -> dict[str, Labelled]:
    """The first pictures to train on, the last ones held out.

    Raises:
        DataError: If there are none, or too few to hold some out.
    """
    count = len(done.pictures)
    if not count:
        raise DataError(
            f'nobody was found in {name} ({done.empty} pictures, and {done.bad} that could not be read): --tiles 2 or '
            'more looks for smaller people, a lower --box-score for less sure ones'
        )
    held = max(1, round(share * count)) if share else 0
    if held >= count:
        raise DataError(f'{name} has people on {count} picture alone: --val-share 0 holds none out')
    splits = {'train': done.pictures[: count - held], 'val': done.pictures[count - held :]}
    return {split: Labelled(done.joints, done.limbs, done.least, part) for split, part in splits.items() if part}


def _write_splits(folder: Path, splits: dict[str, Labelled], origin: dict[str, Any]) -> None:
    """Move the pictures to their splits, and write what is on them."""
    (folder / 'annotations').mkdir()
    for split, part in splits.items():
        (folder / split).mkdir()
        for name, *_ in part.pictures:
            (folder / 'pictures' / name).rename(folder / split / name)
        content = _annotations(part, origin)
        (folder / 'annotations' / f'{split}.json').write_text(json.dumps(content), encoding='utf-8')
    (folder / 'pictures').rmdir()


def _flags(person: TaughtPerson, shape: Sequence[int], least: float) -> np.ndarray:
    """2 for joints that are visible, 1 for hidden ones, 0 for those outside: (K,)."""
    inside = ((person.places >= 0) & (person.places <= (shape[1] - 1, shape[0] - 1))).all(axis=1)
    return np.where(inside & (person.there >= least), np.where(person.visible >= least, 2, 1), 0)


def _annotations(part: Labelled, origin: dict[str, Any]) -> dict[str, Any]:
    """What an annotation file of a split holds."""
    file = CocoFile(part.joints, limbs=part.limbs)
    for name, size, number, people in part.pictures:
        file.add_image(name, size)
        file.images[-1]['frame'] = number
        for person in people:
            flags = _flags(person, size[::-1], part.least)
            joints = [(x, y, flag) for (x, y), flag in zip(person.places.tolist(), flags.tolist())]
            if file.add_person(joints, None):
                scores = [round(score, 4) for score in person.visible.tolist()]
                file.annotations[-1].update(score=round(person.score, 4), keypoint_scores=scores)
    info = dict(description='Pseudo-labels: what another model saw, not what is there', pseudo_labels=origin)
    return dict(info=info, **file.content())


def _write_sheet(folder: Path, part: Labelled) -> None:
    """A page of pictures from all over the training split, with what was labelled."""
    skeleton = Skeleton.by_sides(part.limbs, sides_of(part.joints))
    pages = []
    for place in evenly_spaced(len(part.pictures), _SHOWN):
        name, size, _, people = part.pictures[place]
        shown = [np.column_stack([each.places, _flags(each, size[::-1], part.least)]) for each in people]
        pages.append(draw_people(read_picture(folder / 'train' / name), shown, skeleton, height=720))
    write_picture(folder / SHEET, contact_sheet(pages))
