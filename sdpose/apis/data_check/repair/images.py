"""Names, sizes and files of images."""

from collections import Counter
from pathlib import Path
from typing import Any

from sdpose.io.pictures import loaded_sizes, open_picture
from sdpose.preflight.coco import other_spelling
from sdpose.preflight.coco_fields import is_number


def repair_images(content: dict[str, Any], folder: Path, turns: bool, done: Counter[str]) -> None:
    """Names of files, sizes, and images without a file, whose annotations go with them."""
    kept: list[Any] = []
    gone: list[Any] = []
    for image in content['images']:
        name = image.get('file_name')
        if isinstance(name, str) and not (folder / name).is_file() and (other := other_spelling(folder, name)):
            image['file_name'] = name = other[0]
            done['file names corrected'] += 1
        there = isinstance(name, str) and (folder / name).is_file()
        (kept if there else gone).append(image)
        if there and not all(is_number(image.get(key)) and image[key] > 0 for key in ('width', 'height')):
            if (size := _size(folder / image['file_name'], turns)) is not None:
                image['width'], image['height'] = size
                done['sizes of images taken from their files'] += 1
    if gone and kept:  # where every file is missing, the folder is the wrong one
        content['images'] = kept
        done['images without a file dropped'] += len(gone)


def _size(path: Path, turns: bool) -> tuple[int, int] | None:
    try:
        with open_picture(path) as image:
            return loaded_sizes(image, turns)[0]
    except Exception:  # whatever a damaged file leads to
        return None
