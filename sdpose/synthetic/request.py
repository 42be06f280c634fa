"""What set of pictures is asked for, and whether a folder already holds it."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from sdpose.errors import DataError, UserError

from .scene.levels import LEVELS
from .styles import STYLES, Style

GENERATOR_VERSION = 1
"""Raised whenever the same seed gives other pictures or annotations."""
MANIFEST = 'synthetic.json'
SPLITS = ('train', 'val')
_MOST = 1_000_000
_UNSAID = 'coco'
_PEOPLE = 'people'  # the first kind of set that there was goes without saying, too
_SMALLEST, _LARGEST = 48, 8192


@dataclass(frozen=True)
class Request:
    """Arguments that decide the content of a set.

    Attributes:
        num_train, num_val: Pictures per split.
        seed: Any integer from 0.
        level: Name in ``levels.LEVELS``.
        size: (width, height) in pixels.
        style: Name in ``styles.STYLES``.

    Raises:
        UserError: If a value is out of its range.
    """

    num_train: int
    num_val: int
    seed: int
    level: str
    size: tuple[int, int]
    style: str = 'coco'

    def __post_init__(self) -> None:
        for name in ('num_train', 'num_val'):
            if not 0 <= getattr(self, name) <= _MOST:
                raise UserError(f'--{name.replace("_", "-")} {getattr(self, name)}: give 0 to {_MOST} pictures')
        if self.num_train + self.num_val == 0:
            raise UserError('--num-train and --num-val are both 0: there is nothing to draw')
        if self.seed < 0:
            raise UserError(f'--seed {self.seed}: give an integer from 0')
        if self.level not in LEVELS:
            raise UserError(f'--level {self.level}: choose one of {", ".join(LEVELS)}')
        find_style(self.style)
        if not all(_SMALLEST <= side <= _LARGEST for side in self.size):
            raise UserError(
                f'--size {self.size[0]}x{self.size[1]}: both sides must lie within {_SMALLEST} to {_LARGEST}'
            )

    def count(self, split: str) -> int:
        """Pictures of a split."""
        return getattr(self, f'num_{split}')

    def manifest(self) -> dict[str, Any]:
        """What is stored beside the pictures; COCO's style, the first there was, goes without saying."""
        content = dict(generator_version=GENERATOR_VERSION, **{**asdict(self), 'size': list(self.size)})
        if self.style == _UNSAID:
            del content['style']
        return content

    def complete(self, folder: Path) -> bool:
        """Whether every file of the set is there."""
        style = STYLES[self.style]
        splits = [split for split in SPLITS if self.count(split)]
        pictures = sum(len(list((folder / name).glob('*.jpg'))) for name in {style.folders[split] for split in splits})
        return pictures == sum(map(self.count, splits)) and all(
            (folder / file).is_file() for split in splits for file in style.files[split]
        )


def find_style(name: str) -> Style:
    """The annotation style of a name.

    Raises:
        UserError: If there is none.
    """
    if name not in STYLES:
        raise UserError(f'--style {name}: choose one of {", ".join(STYLES)}')
    return STYLES[name]


def parse_size(text: str) -> tuple[int, int]:
    """``640x480`` as (640, 480).

    Raises:
        UserError: If it is not two numbers.
    """
    width, _, height = text.lower().partition('x')
    if not (width.isdigit() and height.isdigit()):
        raise UserError(f'--size {text}: write WIDTHxHEIGHT, for instance 640x480')
    return int(width), int(height)


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of a folder, or None where there is none.

    Raises:
        DataError: If it cannot be read.
    """
    path = folder / MANIFEST
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise DataError(f'{path} cannot be read ({error}): remove its folder, or choose another --out') from error
    return found if isinstance(found, dict) else {}


class Requested(Protocol):
    """What :func:`is_cached` asks of any request for a generated set."""

    def manifest(self) -> dict[str, Any]:
        """The arguments that decide the content."""

    def complete(self, folder: Path) -> bool:
        """Whether a folder holds every file of the set."""


def is_cached(folder: Path, request: Requested, overwrite: bool) -> bool:
    """Whether the folder already holds the set that is asked for.

    Raises:
        DataError: If it holds anything else and may not be overwritten, or something that is no synthetic set, or a
            set of another kind, which this generator does not replace.
    """
    if not folder.exists() or (folder.is_dir() and not os.listdir(folder)):
        return False
    manifest = read_manifest(folder) if folder.is_dir() else None
    if manifest is None:
        raise DataError(f'{folder} exists and is no synthetic set (it has no {MANIFEST}); choose another --out')
    _require_kind(folder, request.manifest(), manifest)
    wanted, found = (dict(dict(style=_UNSAID), **content) for content in (request.manifest(), manifest))
    differing = [
        f'{key} is {found.get(key)}, asked for {value}' for key, value in wanted.items() if found.get(key) != value
    ]
    if not differing and not overwrite and request.complete(folder):
        return True
    if overwrite:
        return False
    problem = '; '.join(differing) or 'files are missing from it'
    raise DataError(
        f'{folder} holds another synthetic set: {problem}. Pass --overwrite to replace it, or choose another --out'
    )


def _require_kind(folder: Path, wanted: dict[str, Any], found: dict[str, Any]) -> None:
    """Refuse a folder whose manifest is not one that this generator writes, whatever its arguments were.

    Raises:
        DataError: If so.
    """
    own, other = (content.get('kind', _PEOPLE) for content in (wanted, found))
    if own != other:
        raise DataError(f'{folder} holds a set of {other}, asked for {own}: choose another --out, or remove the folder')
    lacking = sorted(wanted.keys() - found.keys() - {'style'})
    if lacking:
        raise DataError(
            f'{folder / MANIFEST} is of no synthetic set (it has no {", ".join(lacking)}): choose another --out'
        )
