"""Image loading whose errors name the image and what to do about it."""

import logging
import os
from typing import Any

import cv2
import numpy as np
from mmengine.logging import print_log
from mmpose.datasets.transforms import LoadImage
from mmpose.registry import TRANSFORMS

from sdpose.datasets.picture_size import said_size, why_other_size
from sdpose.errors import DataError
from sdpose.io.pictures import TOO_LARGE, HugePictureError, refuse_special
from sdpose.io.single_picture import check_box, three_channels


@TRANSFORMS.register_module()
class LoadCheckedImage(LoadImage):
    """MMPose's ``LoadImage``, with a :class:`DataError` for an image that is missing or cannot be decoded.

    A sample without ``img_id`` comes from no data set, whose boxes and images were checked before: it is one that
    ``mmpose.apis.inference_topdown`` makes of a picture and a box. There the array of pixels may be grey or have an
    alpha channel, and the box must have something of the picture in it.

    The first picture of a process that is loaded in another size than its annotation file says is warned of: it is
    turned by its EXIF data, or scaled, and its joints lie elsewhere. A look before the run sees some pictures only.

    Args:
        keep_last: Whether the last decoded picture of a process is kept, so that people on one picture who come one
            after another, as by :class:`GroupedByImageSampler`, decode it once.
        writable: Whether each of them gets a copy of its own, so that following steps may write into it. Else all get
            the same array, into which NumPy and OpenCV refuse to write: the copy is saved, and ``WindowedAffine``
            prepares the picture once.
        **kwargs: As of MMPose's ``LoadImage``.

    Raises:
        ValueError: If pictures are to be shared and none is kept.
        DataError: The file is absent, no file, cannot be opened, is not an image, or is too large; an array or a box
            that comes from no data set is not what it must be.
    """

    _warned = False

    def __init__(self, keep_last: bool = False, writable: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not (keep_last or writable):
            raise ValueError('LoadCheckedImage(writable=False) shares the picture that keep_last=True keeps: set both')
        self.keep_last = keep_last
        self.writable = writable
        self._last: tuple[Any, np.ndarray] | None = None  # what tells the file, and its pixels

    def __getstate__(self) -> dict[str, Any]:
        """Copies, and workers that get one, start without a picture."""
        return {**self.__dict__, '_last': None}

    def transform(self, results: dict) -> dict:
        """Load the image of one sample."""
        single = 'img_id' not in results
        if 'img' not in results:
            said = said_size(results)
            results = self._load(results)
            if said is not None:
                self._compare(results, said)
        else:
            if single:
                results['img'] = three_channels(results['img'])
            results = super().transform(results)
        if single and 'bbox' in results:
            check_box(results['bbox'], results['ori_shape'])
        return results

    def _compare(self, results: dict, said: tuple[float, float]) -> None:
        height, width = results['ori_shape']
        if (width, height) == tuple(said) or LoadCheckedImage._warned:
            return
        LoadCheckedImage._warned = True
        print_log(
            f'image {results["img_path"]} is loaded as {width} x {height}, its entry says {said[0]:g} x {said[1]:g}'
            f'{_who(results)}: {why_other_size((width, height), said)}; further ones are not named',
            'current',
            logging.WARNING,
        )

    def _load(self, results: dict) -> dict:
        if not self.keep_last:
            return self._decode(results)
        key = _stamp(results['img_path'])
        if self._last is None or self._last[0] != key:
            results = self._decode(results)
            if results is None or not isinstance(results['img'], np.ndarray):
                return results
            self._last = key, results['img']
            self._last[1].flags.writeable = False
        results['img'] = self._last[1].copy() if self.writable else self._last[1]
        results['img_shape'] = results['ori_shape'] = self._last[1].shape[:2]
        return results

    def _decode(self, results: dict) -> dict:
        path = results['img_path']
        refuse_special(path)
        try:
            return super().transform(results)
        except FileNotFoundError as error:
            raise DataError(
                f'image {path} is missing{_who(results)}: put it there, or correct data_prefix.img of '
                'the dataset in the config'
            ) from error
        except HugePictureError as error:
            raise DataError(f'image {path} is not read{_who(results)}: {TOO_LARGE}') from error
        except OSError as error:
            raise DataError(f'image {path} cannot be opened{_who(results)}: check its permissions') from error
        except (AssertionError, ValueError, cv2.error) as error:
            raise DataError(
                f'image {path} cannot be decoded{_who(results)}: the file is damaged or is not an '
                'image; replace it, or remove it from the annotations'
            ) from error


def _stamp(path: str) -> tuple[str, int, int]:
    """What tells one content of a file from another; of what lies elsewhere, its address."""
    try:
        stat = os.stat(path)
    except OSError:
        return path, 0, 0
    return path, stat.st_mtime_ns, stat.st_size


def _who(results: dict) -> str:
    if 'img_id' not in results:
        return ''
    return f' (image id {results["img_id"]}, annotation id {results.get("id")})'
