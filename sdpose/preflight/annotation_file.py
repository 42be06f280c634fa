"""Reading a COCO annotation file: there, JSON, and in COCO's structure."""

import os
import reprlib
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

from sdpose.errors import DataError
from sdpose.io.json_file import EncodingError, read_json

from . import coco_fields
from .other_formats import name_other_file, name_other_format

_CURE = 'correct data_root and ann_file of the dataset in the config'


def read_annotations(ann_file: str | Path, annotated: bool = True, cure: str = _CURE) -> dict[str, Any]:
    """Read a COCO annotation file, of key points or not.

    Args:
        ann_file: The file.
        annotated: Whether it must have annotations; ``image_info`` files of test splits have none, and get an empty
            list.
        cure: What else than putting the file there helps if it is missing.

    Raises:
        DataError: If it is missing, not JSON, or lacks images, annotations, ids or what an image must have.
    """
    require_annotation_file(ann_file, cure)
    content = read_content(ann_file)
    if isinstance(content, dict) and not annotated:
        content = {'annotations': [], **content}
    require_lists(ann_file, content)
    coco_fields.check_entries(ann_file, 'image', content['images'], coco_fields.IMAGE_KEYS)
    coco_fields.check_images(ann_file, content['images'])
    coco_fields.check_entries(ann_file, 'annotation', content['annotations'], ('id',))
    check_ids(ann_file, content)
    return content


def require_lists(ann_file: str | Path, content: Any) -> None:
    """Check that a file holds the two lists of COCO.

    Raises:
        DataError: If not.
    """
    lacking = [key for key in ('images', 'annotations') if not isinstance(content, dict) or key not in content]
    if lacking == ['annotations']:
        raise DataError(
            f'{ann_file} has no annotations to train on or to evaluate with; for a test split without '
            'any, tools/test.py --format-only writes results from the boxes of a detector'
        )
    if lacking:
        raise DataError(f'{ann_file} is not a COCO annotation file: it has no {" and no ".join(lacking)}')
    for key in ('images', 'annotations'):
        if not isinstance(content[key], list):
            raise DataError(f'{ann_file} is not a COCO annotation file: {key} must be a list')


def read_content(ann_file: str | Path) -> Any:
    """What an annotation file in JSON holds, unless it is another tool's.

    Raises:
        DataError: If it is not JSON, or in a form of another tool, naming it and what makes it fit.
    """
    try:
        content = _read_once(str(ann_file), *_stamp(ann_file))
    except EncodingError:
        raise
    except DataError as error:
        if not Path(ann_file).is_file():
            raise
        form = name_other_file(ann_file)
        if form is None:
            raise
        raise DataError(f'{ann_file} is {form}') from error
    form = name_other_format(content)
    if form is not None:
        raise DataError(f'{ann_file} is not a COCO annotation file, but {form}')
    return content


def _stamp(file: str | Path) -> tuple[int, int]:
    """What changes when a file is written: its time and size."""
    stat = os.stat(file) if os.path.exists(file) else None
    return (stat.st_mtime_ns, stat.st_size) if stat else (0, 0)


@lru_cache(maxsize=2)
def _read_once(file: str, time: int, size: int) -> Any:
    """The content of a file that several checks look at, and none changes."""
    return read_json(file, 'a COCO annotation file')


def forget() -> None:
    """Give back the memory of the files that were read last."""
    _read_once.cache_clear()


def check_ids(ann_file: str | Path, content: Any) -> None:
    """Check that no two images, and no two annotations, of a file in COCO's form share an id.

    Whoever reads it would look for the people of one picture in the other, and keep one of two people.

    Raises:
        DataError: Naming the first id, and the pictures.
    """
    if not isinstance(content, dict):
        return
    for what, key in (('image', 'images'), ('annotation', 'annotations')):
        entries = content.get(key)
        entries = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
        ids = Counter(entry['id'] for entry in entries if isinstance(entry.get('id'), (int, str)))
        repeated = [number for number, count in ids.items() if count > 1]
        if repeated:
            names = [reprlib.repr(entry.get('file_name')) for entry in entries if entry.get('id') == repeated[0]]
            pictures = f', by {" and ".join(names[:2])}' if what == 'image' else ''
            raise DataError(
                f'{ann_file}: {what} id {repeated[0]} is used more than once{pictures}'
                f'{f" (and {len(repeated) - 1} more ids)" if len(repeated) > 1 else ""}: give each {what} its own'
            )


def require_annotation_file(ann_file: str | Path, cure: str = _CURE) -> None:
    """Check that an annotation file of any kind is there.

    Args:
        ann_file: The file; an address is taken as it is.
        cure: What else than putting the file there helps.

    Raises:
        DataError: If it is not.
    """
    if not Path(ann_file).is_file() and '://' not in str(ann_file):
        below = '' if Path(ann_file).is_absolute() else f' (below {os.getcwd()})'
        raise DataError(f'the annotation file {ann_file} is missing{below}: put it there, or {cure}')
