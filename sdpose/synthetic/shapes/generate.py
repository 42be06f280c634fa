"""Writes a set of shapes in torchvision's ImageFolder layout: all of it, or nothing."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2

from sdpose.errors import DataError, UserError
from sdpose.io.folders import atomic_folder, signals_unwind
from sdpose.io.pictures import write_png
from sdpose.synthetic.request import MANIFEST, SPLITS, is_cached
from sdpose.visualization import contact_sheet

from .outlines import CLASSES
from .picture import draw_picture

GENERATOR_VERSION = 1
"""Raised whenever the same seed gives other pictures."""
SHEET = 'contact_sheet.png'
_MOST, _SMALLEST, _LARGEST = 100_000, 16, 1024
_ENDING = 'JPEG'  # ImageNet's


@dataclass(frozen=True)
class ShapesRequest:
    """Arguments that decide the content of a set.

    Attributes:
        num_train, num_val: pictures per class and split.
        seed: Any integer from 0.
        size: (w, h) in pixels.

    Raises:
        UserError: If a value is out of its range.
    """

    num_train: int
    num_val: int
    seed: int
    size: tuple[int, int]

    def __post_init__(self) -> None:
        for name in ('num_train', 'num_val'):
            if not 1 <= getattr(self, name) <= _MOST:
                option = f'--{name.replace("_", "-")} {getattr(self, name)}'
                raise UserError(f'{option}: give 1 to {_MOST} pictures per class')
        if self.seed < 0:
            raise UserError(f'--seed {self.seed}: give an integer from 0')
        if not all(_SMALLEST <= side <= _LARGEST for side in self.size):
            raise UserError(f'--size {self.size[0]}x{self.size[1]}: give sides of {_SMALLEST} to {_LARGEST} pixels')

    def count(self, split: str) -> int:
        """Pictures per class of a split."""
        return self.num_train if split == 'train' else self.num_val

    def manifest(self) -> dict[str, Any]:
        """What is stored beside the pictures."""
        return dict(
            kind='shapes',
            generator_version=GENERATOR_VERSION,
            num_train=self.num_train,
            num_val=self.num_val,
            seed=self.seed,
            size=list(self.size),
        )

    def complete(self, folder: Path) -> bool:
        """Whether every picture is there."""
        return all(
            sum(1 for _ in (folder / split / name).glob(f'*.{_ENDING}')) == self.count(split)
            for split in SPLITS
            for name in CLASSES
        )


def generate_shapes(
    out: Path,
    request: ShapesRequest,
    overwrite: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> bool:
    """Draw a set into ``train/CLASS/`` and ``val/CLASS/``, with a contact sheet.

    The set is drawn in a hidden folder beside ``out`` and renamed once complete.

    Args:
        out: Folder to make.
        request: What to draw.
        overwrite: Whether a generated set in ``out`` may be replaced.
        progress: Called with the number of finished and of all pictures.

    Returns:
        False if the folder already held exactly this set.

    Raises:
        DataError: If ``out`` holds something else or cannot be written.
    """
    out = Path(os.path.abspath(out))
    if is_cached(out, request, overwrite):
        return False
    jobs = [(split, name, index) for split in SPLITS for name in CLASSES for index in range(request.count(split))]
    with signals_unwind(), atomic_folder(out) as folder:
        for done, (split, name, index) in enumerate(jobs, 1):
            picture = draw_picture(name, request.size, request.seed, SPLITS.index(split), index)
            _store(folder / split / name / f'{name}_{index + 1:06d}.{_ENDING}', picture)
            progress(done, len(jobs))
        _write_sheet(folder, request)
        (folder / MANIFEST).write_text(json.dumps(request.manifest(), indent=2) + '\n', encoding='utf-8')
    return True


def _store(path: Path, picture: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    done, data = cv2.imencode('.jpg', picture, [cv2.IMWRITE_JPEG_QUALITY, 95])
    if not done:
        raise DataError(f'{path} cannot be encoded')
    path.write_bytes(data.tobytes())


def _write_sheet(folder: Path, request: ShapesRequest, count: int = 6) -> None:
    """The first training pictures of each class, enlarged."""
    pictures = [
        draw_picture(name, request.size, request.seed, 0, index)
        for name in CLASSES
        for index in range(min(count, request.num_train))
    ]
    write_png(folder / SHEET, contact_sheet(pictures, width=1200))
