"""Pictures are refused by their declared size, before memory is taken."""

import io
import warnings
from functools import wraps
from importlib import import_module
from typing import Any

from PIL import Image

from sdpose.io.pictures import MOST_PIXELS, open_picture

from .rebind import rebind


def refuse_huge_pictures() -> None:
    """Let mmcv and Pillow look at a picture's header before they decode it, with one limit for both.

    Seen: a PNG of 110 kB that declares 30,000 x 30,000 pixels takes 2.7 GB through mmcv 2.1, whose only limit is
    OpenCV's of 2^30 pixels. Pillow has a limit, which is below the photos of some phones. The look takes 0.03 ms for a
    photo of COCO, whose decoding takes 4.
    """
    original = import_module('mmcv').imfrombytes
    if hasattr(original, '__wrapped__'):
        return

    @wraps(original)
    def imfrombytes(content: bytes, *args: Any, **kwargs: Any) -> Any:
        open_picture(io.BytesIO(content)).close()
        return original(content, *args, **kwargs)

    rebind(original, imfrombytes, 'mmcv')
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS // 2  # Pillow warns of more, and refuses twice as many
    warnings.filterwarnings('ignore', category=Image.DecompressionBombWarning)
    # Odd EXIF data, which OpenCV takes without a word.
    warnings.filterwarnings('ignore', category=UserWarning, module=r'PIL\.')
