"""Loading an image of a class, with errors that name it."""

from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS
from PIL import Image

from sdpose.errors import DataError
from sdpose.io.pictures import TOO_LARGE, HugePictureError, open_picture, refuse_special


@TRANSFORMS.register_module()
class LoadClassImage(BaseTransform):
    """Read ``img_path`` as an RGB image of PIL, the form on which torchvision's transforms have their reference.

    A grey image of 16 bits is scaled to 8; PIL alone would make every value above 255 white.

    Raises:
        DataError: The file is absent, no file, cannot be opened, is not an image, is too large, or has pixels without
            a known range.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add ``img``."""
        path = results['img_path']
        refuse_special(path)
        try:
            with open_picture(path) as image:
                results['img'] = _as_rgb(image)
        except _UnknownRange as error:
            raise DataError(f'image {path} has {error}, whose range is not known: store it with 8 or 16 bits') from None
        except FileNotFoundError as error:
            raise DataError(f'image {path} has vanished since the start of the run: put it back') from error
        except HugePictureError as error:
            raise DataError(f'image {path} is not read: {TOO_LARGE}') from error
        except PermissionError as error:
            raise DataError(f'image {path} cannot be opened: check its permissions') from error
        except (OSError, SyntaxError, ValueError) as error:
            raise DataError(
                f'image {path} cannot be decoded: the file is damaged or is not an image; replace it, or '
                'remove it from its class folder'
            ) from error
        return results


class _UnknownRange(Exception):
    """Pixels that cannot be scaled to 8 bits."""


def _as_rgb(image: Image.Image) -> Image.Image:
    """An image of any mode as RGB with 8 bits per channel."""
    if image.mode.startswith('I;16'):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert('RGB')
    if image.mode in ('I', 'F'):
        raise _UnknownRange('32-bit integer pixels' if image.mode == 'I' else 'floating-point pixels')
    return image.convert('RGB')
