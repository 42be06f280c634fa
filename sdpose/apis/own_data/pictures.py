"""Where the pictures of an annotation file lie, how large they are, and which of them are the same."""

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sdpose.errors import DataError, UserError, one_line
from sdpose.io.digest import sha256_of
from sdpose.io.pictures import open_picture
from sdpose.preflight.coco import check_images

_LOOKED_AT = 100  # names, to choose between folders
_USUAL = ('images', 'data', 'img', 'imgs', 'photos', 'pictures', 'train', 'val', 'default')


def find_folder(file: Path, names: Sequence[str], given: str | None) -> Path:
    """The folder that the names of an annotation file count from.

    Args:
        file: The annotation file.
        names: ``file_name`` of its pictures.
        given: The folder, as a user names it; None to look where tools put it, around the file.

    Raises:
        DataError: If pictures are missing there, naming the first ones.
        UserError: If no usual place has any of them.
    """
    if given is not None:
        folder = Path(given)
    else:
        looked_at = names[:: -(-len(names) // _LOOKED_AT)]
        places = [place for place in _places(file) if place.is_dir()]
        counts = [sum(os.path.isfile(place / name) for name in looked_at) for place in places]
        if not any(counts):
            raise UserError(
                f'the pictures of {file} (the first: {names[0]}) lie neither beside it nor in a folder of a usual '
                'name there: give their folder, --images FOLDER'
            )
        folder = places[counts.index(max(counts))]
    check_images(folder, names, file)
    return folder


def _places(file: Path) -> list[Path]:
    """Where tools put pictures, likely ones first."""
    stem = file.stem.split('.')[0]
    tails = [stem.rpartition('_')[2], stem.partition('_')[2]]
    below = [name for name in (*_USUAL, stem, *tails) if name]
    roots = [file.parent, file.parent.parent, Path()]
    found = [place for root in roots for place in (root, *(root / name for name in below))]
    found += [root / 'images' / name for root in roots[:2] for name in below]
    return list(dict.fromkeys(found))


def fill_in_sizes(folder: Path, images: Iterable[dict[str, Any]]) -> tuple[list[dict[str, Any]], int]:
    """Entries of images with the width and height that the headers of their files say, where they have none.

    Returns:
        The entries, and how many had none.

    Raises:
        DataError: If such a file is no picture.
    """
    done, filled = [], 0
    for image in images:
        if not image.get('width') or not image.get('height'):
            filled += 1
            try:
                with open_picture(folder / image['file_name']) as picture:
                    image = {**image, 'width': picture.width, 'height': picture.height}
            except (OSError, ValueError) as error:
                raise DataError(
                    f'{folder / image["file_name"]} has no size in the annotation file and cannot be read: '
                    f'{one_line(error)}'
                ) from error
        done.append(image)
    return done, filled


def group_equal(paths: Sequence[Path]) -> list[list[int]]:
    """The places of pictures that are the same file, or have the same content, together; each place once.

    Contents are compared where sizes are equal, which among photographs is rare.
    """
    by_size: dict[int, list[int]] = defaultdict(list)
    for place, path in enumerate(paths):
        by_size[path.stat().st_size].append(place)
    groups: dict[Any, list[int]] = defaultdict(list)
    for size, places in by_size.items():
        for place in places:
            groups[size, sha256_of(paths[place]) if len(places) > 1 else ''].append(place)
    return sorted(groups.values())


def split_pictures(groups: Sequence[Sequence[int]], share: float) -> set[int]:
    """The places to validate on: a share of the groups, drawn at random, always the same.

    Raises:
        UserError: If there are fewer than two groups.
    """
    if len(groups) < 2:
        raise UserError('one picture with people is too few to train and to validate: give others by --val')
    count = min(max(1, round(share * len(groups))), len(groups) - 1)
    drawn = np.random.default_rng(0).permutation(len(groups))[:count]
    return {place for number in drawn.tolist() for place in groups[number]}
