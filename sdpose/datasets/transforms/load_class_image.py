"""Loading an image of a class, with errors that name it."""
from typing import Any

from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS
from PIL import Image

from sdpose.errors import DataError


@TRANSFORMS.register_module()
class LoadClassImage(BaseTransform):
    """Read ``img_path`` as an RGB image of PIL, the form on which torchvision's transforms have their reference.

    Raises:
        DataError: The file is absent, cannot be opened, or is not an image.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add ``img``."""
        path = results['img_path']
        try:
            with Image.open(path) as image:
                results['img'] = image.convert('RGB')
        except FileNotFoundError as error:
            raise DataError(f'image {path} has vanished since the start of the run: put it back') from error
        except PermissionError as error:
            raise DataError(f'image {path} cannot be opened: check its permissions') from error
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise DataError(f'image {path} cannot be decoded: the file is damaged or is not an image; replace it, or '
                            'remove it from its class folder') from error
        return results
