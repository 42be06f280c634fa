"""Many pictures on one page."""

from collections.abc import Sequence
from math import ceil, sqrt

import numpy as np

from .scaling import scaled

_PAPER = 245


def _fitted(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    """The picture scaled to fit into a cell and centred on paper."""
    scale = min(width / picture.shape[1], height / picture.shape[0])
    small = scaled(picture, scale)
    cell = np.full((height, width, 3), _PAPER, np.uint8)
    y, x = (height - small.shape[0]) // 2, (width - small.shape[1]) // 2
    cell[y : y + small.shape[0], x : x + small.shape[1]] = small
    return cell


def contact_sheet(
    pictures: Sequence[np.ndarray], width: int = 1920, gap: int = 6, columns: int | None = None
) -> np.ndarray:
    """Pictures side by side in about as many columns as suit a wide page.

    Args:
        pictures: (H, W, 3) uint8 each, of any sizes; the cells take the shape of the first, up to
            a quarter and twice as high as wide.
        width: Width of the page in pixels.
        gap: Pixels between the cells.
        columns: Number of columns, None for what suits pictures of 4:3.

    Raises:
        ValueError: If there is no picture.
    """
    if not pictures:
        raise ValueError('a contact sheet needs at least one picture')
    columns = columns or max(1, min(len(pictures), round(sqrt(len(pictures) * 4 / 3))))
    cell = (width - gap * (columns + 1)) // columns
    # A strip of pixels would make a page that fits into no memory.
    height = round(cell * min(2.0, max(0.25, pictures[0].shape[0] / pictures[0].shape[1])))
    rows = ceil(len(pictures) / columns)
    page = np.full((rows * (height + gap) + gap, width, 3), _PAPER, np.uint8)
    for number, picture in enumerate(pictures):
        y, x = gap + number // columns * (height + gap), gap + number % columns * (cell + gap)
        page[y : y + height, x : x + cell] = _fitted(picture, cell, height)
    return page
