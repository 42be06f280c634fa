"""Image loading whose errors name the image and what to do about it."""

import cv2
from mmpose.datasets.transforms import LoadImage
from mmpose.registry import TRANSFORMS

from sdpose.errors import DataError


@TRANSFORMS.register_module()
class LoadCheckedImage(LoadImage):
    """MMPose's ``LoadImage``, with a :class:`DataError` for an image that is missing or cannot be decoded.

    Raises:
        DataError: The file is absent, cannot be opened, or is not an image.
    """

    def transform(self, results: dict) -> dict:
        """Load the image of one sample."""
        path = results.get('img_path')
        try:
            return super().transform(results)
        except FileNotFoundError as error:
            raise DataError(f'image {path} is missing ({_who(results)}): put it there, or correct data_prefix.img of '
                            'the dataset in the config') from error
        except OSError as error:
            raise DataError(f'image {path} cannot be opened ({_who(results)}): check its permissions') from error
        except (AssertionError, ValueError, cv2.error) as error:
            raise DataError(f'image {path} cannot be decoded ({_who(results)}): the file is damaged or is not an '
                            'image; replace it, or remove it from the annotations') from error


def _who(results: dict) -> str:
    return f'image id {results.get("img_id")}, annotation id {results.get("id")}'
