"""Picture files: what is too large to be read, what is no file, and writing that does not fail silently."""

import io
import os
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from sdpose.errors import DataError, UserError

from .atomic import atomic_write

# As many as the largest sensors of phones have; decoded, they take 0.6 GB.
MOST_PIXELS = 16384 * 12288
ORIENTATION = 274  # of EXIF
_ON_ITS_SIDE = (5, 6, 7, 8)
TOO_LARGE = f'it declares more than {MOST_PIXELS / 1e6:.0f} million pixels: scale it down, or remove it'

_JPEG_BEGIN, _JPEG_SCAN, _JPEG_END = b'\xff\xd8', b'\xff\xda', b'\xff\xd9'


class HugePictureError(DataError):
    """A picture whose header declares more than ``MOST_PIXELS``; its file may be small."""


@cache
def _formats() -> tuple[str, ...]:
    """What OpenCV reads and Pillow tells the size of. With all its formats, Pillow would run PostScript too."""
    Image.init()
    names = ('JPEG', 'MPO', 'PNG', 'BMP', 'DIB', 'WEBP', 'TIFF', 'GIF', 'PPM', 'SUN', 'JPEG2000', 'AVIF')
    return tuple(name for name in names if name in Image.OPEN)


def refuse_special(path: str | Path) -> None:
    """Refuse what exists and is no file: reading a pipe may never end. A link to a file is a file.

    Raises:
        DataError: If it is a folder, a pipe, a socket or a device.
    """
    if os.path.exists(path) and not os.path.isfile(path):
        kind = 'a folder' if os.path.isdir(path) else 'a pipe, a socket or a device'
        raise DataError(f'image {path} is {kind}, not a file: put the image there, or correct the name')


def open_picture(source: str | Path | io.BytesIO) -> Image.Image:
    """Open a picture with Pillow, which reads its header only.

    Args:
        source: A file, or its content.

    Raises:
        HugePictureError: If it declares more than ``MOST_PIXELS``.
        FileNotFoundError, PermissionError: As in :func:`open`.
        ValueError: If it is no picture, damaged, or in a format whose size cannot be told.
    """
    try:
        image = Image.open(source, formats=_formats())
    except Image.DecompressionBombError as error:
        raise HugePictureError(f'a picture is not read: {TOO_LARGE}') from error
    except (FileNotFoundError, PermissionError):
        raise
    except Exception as error:  # whatever a damaged header leads to
        raise ValueError(f'no picture that can be read ({error})') from error
    if image.width * image.height > MOST_PIXELS:  # Pillow's own limit was lifted
        image.close()
        raise HugePictureError(f'a picture is not read: {TOO_LARGE}')
    return image


def loaded_sizes(image: Image.Image, turns: bool) -> list[tuple[int, int]]:
    """The size in which a picture will be loaded, (w, h).

    Args:
        image: As :func:`open_picture` opens it.
        turns: Whether it is turned as its EXIF data ask for, as OpenCV does unless told otherwise.

    Returns:
        One size, or both ways where a format is turned or not by the version of OpenCV, turned first.
    """
    if not (turns and image.getexif().get(ORIENTATION) in _ON_ITS_SIDE):
        return [image.size]
    return [image.size[::-1]] if image.format in ('JPEG', 'MPO') else [image.size[::-1], image.size]


def read_picture(path: str | Path) -> np.ndarray:
    """A picture as OpenCV has it: (H, W, 3), BGR, 8 bits.

    Raises:
        DataError: If it is missing, no file, no picture, damaged, or too large.
    """
    refuse_special(path)
    try:
        open_picture(path).close()
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    except HugePictureError as error:
        raise DataError(f'{path} is not read: {TOO_LARGE}') from error
    except (OSError, ValueError, cv2.error) as error:
        raise DataError(f'{path} cannot be read as a picture: {error}') from error
    if picture is None:
        raise DataError(f'{path} cannot be read as a picture: it is damaged')
    return picture


def is_cut_off(path: str | Path) -> bool:
    """Whether a JPEG file ends before its picture does: OpenCV fills the rest with grey and does not say of which.

    Files of other kinds, and what is no file, are not looked at. Data behind the picture, as phones write them, are
    no fault.
    """
    if not os.path.isfile(path):
        return False
    with open(path, 'rb') as file:
        if file.read(2) != _JPEG_BEGIN:
            return False
        file.seek(-2, os.SEEK_END)
        if file.read() == _JPEG_END:
            return False
        file.seek(0)
        content = file.read()
    place = 2
    while content[place : place + 1] == b'\xff' and content[place : place + 2] != _JPEG_SCAN:
        place += 2 + int.from_bytes(content[place + 2 : place + 4], 'big')  # a segment, which may hold a thumbnail
    # In the scan itself no two bytes look like a marker.
    return content.find(_JPEG_END, place) < 0


def write_png(path: str | Path, picture: np.ndarray) -> None:
    """Write a picture as PNG, see :func:`write_picture`.

    Raises:
        UserError: If the name has another ending, by which nothing would open it.
        DataError: If it cannot be encoded or written.
    """
    if Path(path).suffix.lower() != '.png':
        raise UserError(f'{path}: the picture is a PNG, so its name must end in .png')
    write_picture(path, picture, '.png')


def write_picture(path: str | Path, picture: np.ndarray, form: str | None = None) -> None:
    """Write a picture, complete or not at all; ``cv2.imwrite`` fails without a word.

    Args:
        path: The file.
        picture: (H, W, 3), uint8, blue, green, red.
        form: ``'.png'``, ``'.jpg'`` or another ending that OpenCV knows; by default the file's.

    Raises:
        DataError: If it cannot be encoded or written.
    """
    form = form or Path(path).suffix
    done, content = cv2.imencode(form, picture)
    if not done:
        raise DataError(f'{path} cannot be written: the picture cannot be encoded as {form[1:].upper()}')
    try:
        with atomic_write(path) as file:
            file.write(content.tobytes())
    except OSError as error:
        raise DataError(f'{path} cannot be written: {error}') from error
