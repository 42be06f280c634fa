"""A picture and a box that no data set vouches for, as ``inference_topdown`` gets them."""

import os
from typing import Any

import numpy as np

from sdpose.errors import DataError

from .pictures import TOO_LARGE, HugePictureError, open_picture, refuse_special

_REMOTE = '://'
_NO_PIXELS = 'an image must be an array of pixels or the name of a file, got {}'
_SHAPES = '(H, W), (H, W, 1), (H, W, 3) in the order blue, green, red, or (H, W, 4) with alpha'


def three_channels(pixels: Any) -> np.ndarray:
    """Pixels as OpenCV reads a picture: grey ones become three equal channels, and alpha is dropped.

    Returns:
        (H, W, 3), uint8.

    Raises:
        DataError: If it is no array of pixels of 8 bits, or has another shape.
    """
    if not isinstance(pixels, np.ndarray):
        raise DataError(_NO_PIXELS.format(type(pixels).__name__))
    if pixels.dtype != np.uint8:
        raise DataError(
            f'an image must have pixels of 8 bits (uint8, 0 to 255), got {pixels.dtype}: scale and convert it first'
        )
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3, 4) or pixels.size == 0:
        raise DataError(f'an image must have the shape {_SHAPES}, got {pixels.shape}')
    if pixels.shape[2] == 1:
        return np.repeat(pixels, 3, axis=2)
    return np.ascontiguousarray(pixels[..., :3])


def check_source(source: Any) -> Any:
    """A picture as ``inference_topdown`` takes it, looked at before anything is read of it.

    Args:
        source: The name of a file, or an array of pixels, whose values :func:`three_channels` looks at.

    Returns:
        The name as text, or the array.

    Raises:
        DataError: If it is neither, has no height and width, or the file is missing, no file (a pipe may never end), no
            picture or too large.
    """
    if isinstance(source, np.ndarray):
        if source.ndim < 2:
            raise DataError(f'an image must have the shape {_SHAPES}, got {source.shape}')
        return source
    if not isinstance(source, (str, os.PathLike)):
        raise DataError(_NO_PIXELS.format(type(source).__name__))
    path = os.fspath(source)
    if _REMOTE in path:
        return path
    refuse_special(path)
    try:
        open_picture(path).close()
    except FileNotFoundError as error:
        raise DataError(f'image {path} is missing: put it there, or correct the name') from error
    except HugePictureError as error:
        raise DataError(f'image {path} is not read: {TOO_LARGE}') from error
    except (OSError, ValueError) as error:
        raise DataError(f'image {path} cannot be read: {error}') from error
    return path


def check_boxes(boxes: Any) -> np.ndarray | None:
    """Boxes as ``inference_topdown`` takes them, in one array; None for none, which stands for the whole picture.

    Args:
        boxes: (N, 4) numbers, an array or nested lists; what they say is looked at by :func:`check_box`.

    Raises:
        DataError: If they are no numbers, or not four each.
    """
    if boxes is None:
        return None
    try:
        array = np.asarray(boxes)
        array = array if array.dtype.kind in 'iuf' else array.astype(float)
    except (TypeError, ValueError) as error:
        raise DataError(f'the boxes must be (N, 4) numbers, one row each: {error}') from error
    if array.size and (array.ndim != 2 or array.shape[1] != 4):
        raise DataError(f'the boxes must be (N, 4) numbers, one row each, got the shape {array.shape}')
    return array if array.size else None


def check_box(box: Any, shape: tuple[int, int]) -> None:
    """Refuse a box that has nothing of the picture in it: the model would find a person all the same.

    Args:
        box: Left, top, right, bottom in pixels, (4,) or (1, 4).
        shape: Height and width of the picture.

    Raises:
        DataError: If it is not four finite numbers, has no extent, or lies outside the picture.
    """
    values = np.ravel(box)
    named = f'the box {values.tolist()}'
    if len(values) != 4:
        raise DataError(f'{named} must be four numbers: left, top, right and bottom')
    if not np.isfinite(values).all():
        raise DataError(f'{named} holds a value that is no finite number: leave it out, or correct it')
    left, top, right, bottom = values
    form = 'left, top, right, bottom; the picture has {1} x {0} pixels (w x h)'.format(*shape)
    if right <= left or bottom <= top:
        raise DataError(f'{named} has no extent ({form}): leave it out, or name bbox_format')
    if right <= 0 or bottom <= 0 or left >= shape[1] or top >= shape[0]:
        raise DataError(f'{named} lies outside the picture ({form}): leave it out, or name bbox_format')
