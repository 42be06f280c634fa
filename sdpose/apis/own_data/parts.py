"""The two parts of a data set of one's own, to train and to validate on: they share no picture."""

from pathlib import Path
from typing import Any, NamedTuple

from sdpose.errors import DataError, UserError

from .annotations import Subjects, is_usable, read_subjects
from .asked import Asked
from .pictures import fill_in_sizes, find_folder, group_equal, split_pictures


class Part(NamedTuple):
    """Pictures and annotations of one part of the data.

    Attributes:
        folder: What the names of the pictures count from.
        images: Entries of the pictures, complete.
        annotations: Those of the subjects on them.
    """

    folder: Path
    images: list[dict[str, Any]]
    annotations: list[dict[str, Any]]

    def paths(self) -> list[Path]:
        """The files of the pictures."""
        return [self.folder / image['file_name'] for image in self.images]

    def among(self, places: set[int], inside: bool) -> 'Part':
        """The part of it that lies at some places of its images, or not there."""
        images = [image for place, image in enumerate(self.images) if (place in places) is inside]
        ids = {image['id'] for image in images}
        return self._replace(images=images, annotations=[ann for ann in self.annotations if ann['image_id'] in ids])


def split_parts(asked: Asked, subjects: Subjects) -> tuple[Part, Part, list[str]]:
    """The two parts of the data, and what was filled in on the way.

    Args:
        asked: What to take for the second part: a file, or a share of the pictures of the first one.
        subjects: Those of the first file.

    Raises:
        DataError: If pictures are missing, or are in both files.
        UserError: If the share is none, there are too few pictures, or the second file has other joints.
    """
    whole, guessed = _complete(subjects, asked.images)
    if asked.val is not None:
        others = read_subjects(asked.val, asked.category, asked.joints)
        if [name.casefold() for name in others.joints] != [name.casefold() for name in subjects.joints]:
            raise UserError(
                f'{asked.val} has other joints than {asked.annotations}, or in another order: name two files '
                'of the same'
            )
        val, said = _complete(others, asked.images)
        _require_apart(asked, whole, val)
        return whole, val, [*guessed, *(line for line in said if line not in guessed)]
    if not 0 < asked.val_share < 1:
        raise UserError(f'--val-share {asked.val_share}: give a share between 0 and 1, such as 0.1')
    seen = {ann['image_id'] for ann in whole.annotations if is_usable(ann)}
    groups = [
        group for group in group_equal(whole.paths()) if any(whole.images[place]['id'] in seen for place in group)
    ]
    places = split_pictures(groups, asked.val_share)
    return whole.among(places, False), whole.among(places, True), guessed


def _complete(subjects: Subjects, images: str | None) -> tuple[Part, list[str]]:
    """All pictures of a file with people, and their sizes."""
    used = {ann['image_id'] for ann in subjects.annotations if is_usable(ann)}
    entries = [image for image in subjects.images if image['id'] in used]
    if not entries:
        raise DataError(f'{subjects.file}: no joint of {subjects.category!r} is labelled (visibility 1 or 2)')
    folder = find_folder(subjects.file, [image['file_name'] for image in entries], images)
    entries, filled = fill_in_sizes(folder, entries)
    said = [f'size of {filled} picture(s): read from the files'] if filled else []
    people = [ann for ann in subjects.annotations if ann['image_id'] in used]
    return Part(folder, entries, people), [*said, *subjects.guesses]


def _require_apart(asked: Asked, train: Part, val: Part) -> None:
    """Check that no picture is in both parts: its score would be one of memory."""
    paths = [*train.paths(), *val.paths()]
    shared = [
        [str(paths[place]) for place in group]
        for group in group_equal(paths)
        if group[0] < len(train.images) <= group[-1]
    ]
    if shared:
        raise DataError(
            f'{len(shared)} picture(s) of {asked.val} are in {asked.annotations}, too (the first: {shared[0][0]} and '
            f'{shared[0][-1]}), so that a model would be judged by what it has learned: remove them from one'
        )
