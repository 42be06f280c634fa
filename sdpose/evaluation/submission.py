"""The archive of results that COCO's evaluation server takes: one JSON file of a fixed name in a zip."""

import json
import re
import zipfile
import zlib
from pathlib import Path
from typing import Any

from sdpose.errors import DataError, UserError
from sdpose.io.atomic import atomic_write

_RULE = re.compile(r'person_keypoints_(?P<split>[^_]+)_(?P<name>.+)_results')
# Results pack to a third or a tenth of their size, those of a model that predicts one thing to less.
_MOST_PACKED = 100
_ANY_SIZE = 10**7
# What the server reads of a result. MMPose's metric also writes the box, which is no part of COCO's format.
_KEYS = ('image_id', 'category_id', 'keypoints', 'score')


def split_of(ann_file: str | Path) -> str:
    """What COCO calls the images of an annotation file: ``test-dev2017`` for ``image_info_test-dev2017.json``."""
    stem = Path(ann_file).stem
    for prefix in ('image_info_', 'person_keypoints_'):
        stem = stem.removeprefix(prefix)
    return stem


def server_name(ann_file: str | Path, name: str) -> str:
    """The file name without ending that the server expects: ``person_keypoints_test-dev2017_NAME_results``.

    Args:
        ann_file: The annotation file of the images.
        name: What the results are called on the server.

    Raises:
        UserError: If the name holds anything but letters, digits, ``.``, ``_``, ``+`` and ``-``.
    """
    if not re.fullmatch(r'[\w.+-]+', name, re.ASCII):
        raise UserError(f'the name {name!r} becomes part of a file name: use letters, digits, . _ + and -')
    return f'person_keypoints_{split_of(ann_file)}_{name}_results'


def name_fault(file: str | Path, ann_file: str | Path) -> str | None:
    """What is wrong with an archive's name or that of the file in it; None for a plain JSON, which is not uploaded."""
    file = Path(file)
    if file.suffix != '.zip':
        return None
    expected = server_name(ann_file, 'NAME')
    for name in (file.name, _only_member(file)):
        match = _RULE.fullmatch(Path(name).stem)
        if not match or match['split'] != split_of(ann_file) or Path(name).name != name:
            return f'{name} must be called {expected}{Path(name).suffix}'
    inside = _only_member(file)
    return None if inside == f'{file.stem}.json' else f'{inside} in it must be called {file.stem}.json'


def read_results(file: str | Path) -> Any:
    """The content of a result file, JSON or an archive with one JSON file.

    Raises:
        DataError: If it is missing, no JSON, or an archive of something else.
    """
    file = Path(file)
    if file.exists() and not file.is_file():
        raise DataError(f'the result file {file} is no regular file')
    if not file.exists():
        raise DataError(f'the result file {file} does not exist; tools/test.py --format-only writes one')
    try:
        if file.suffix != '.zip':
            return json.loads(file.read_bytes())
        member = _only_member(file)
        with zipfile.ZipFile(file) as archive:
            _require_honest_size(file, archive.getinfo(member).file_size)
            return json.loads(archive.read(member))
    except (ValueError, RuntimeError, zlib.error, zipfile.BadZipFile) as error:  # an encrypted one, nesting too deep
        raise DataError(f'{file} cannot be read as results: {error}') from error


def write_submission(results: list[dict[str, Any]], ann_file: str | Path, name: str, folder: str | Path) -> Path:
    """Write checked results as the archive that the server takes; the numbers stay as they are.

    Args:
        results: COCO key point results.
        ann_file: The annotation file of the images, which gives the split's name.
        name: What the results are called on the server.
        folder: Where the archive goes.

    Returns:
        The archive, ``person_keypoints_SPLIT_NAME_results.zip``.

    Raises:
        UserError: If the name does not fit.
    """
    stem = server_name(ann_file, name)
    content = json.dumps([{key: result[key] for key in _KEYS} for result in results], separators=(',', ':'))
    path = Path(folder) / f'{stem}.zip'
    with atomic_write(path) as file, zipfile.ZipFile(file, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f'{stem}.json', content)
    return path


def _require_honest_size(file: Path, size: int) -> None:
    """Raise before memory is taken if an archive claims to hold far more than results are packed to."""
    if size > max(_ANY_SIZE, _MOST_PACKED * file.stat().st_size):
        raise DataError(
            f'{file} has {file.stat().st_size / 1e6:.3g} MB and unpacks to {size / 1e6:,.0f} MB: results '
            'do not pack that small, nothing was unpacked'
        )


def _only_member(file: Path) -> str:
    """The name of the only file in an archive."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile as error:
        raise DataError(f'{file} is no zip archive: {error}') from error
    if len(names) != 1:
        shown = f'{", ".join(names[:3])} and {len(names) - 3} more' if len(names) > 3 else ', '.join(names)
        raise DataError(f'{file} must hold exactly one file, the results; it holds {shown or "none"}')
    return names[0]
