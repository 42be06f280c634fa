"""Crops left to the model's preprocessor: a sample ships the pixels that its box touches, and where they go."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from mmpose.registry import TRANSFORMS

from .windowed_affine import Window, WindowedAffine


@TRANSFORMS.register_module()
class DeferredAffine(WindowedAffine):
    """``TopdownAffine`` whose pixels are sampled by ``HeatmapDataPreprocessor``, for a whole batch on the device.

    ``img`` becomes what of the picture the turned box touches, at the picture's resolution, and ``input_matrix`` (2, 3)
    leads from pixels of the input to those of ``img``, a flip included; joints are in pixels of the input, as ever.
    This spares the loader the warp, its largest step from a crop cache, and suits a GPU; a CPU is faster with
    ``WindowedAffine``. The pixels are those of OpenCV 5 within one level of 255. Pictures of another number of
    channels are cropped here, as MMPose does. A step behind it that changes colours changes those of the part, and not
    the black around a picture.

    Args:
        input_size: As for ``TopdownAffine``.
        use_udp: As for ``TopdownAffine``.
    """

    def _crop(self, image: np.ndarray, window: Callable[[], Window], matrix: np.ndarray) -> dict[str, Any]:
        where = window()
        backward = cv2.invertAffineTransform(matrix.astype(float))
        backward[:, 2] -= where[1].start, where[0].start
        part = image[where]
        for axis, row in ((1, 0), (0, 1)):
            if part.strides[axis] < 0:  # mirrored by RandomFlip: the matrix mirrors it back at no cost
                part = np.flip(part, axis)
                backward[row] *= -1
                backward[row, 2] += part.shape[axis] - 1
        part = np.ascontiguousarray(part)
        # Of a cached crop as a whole it is the file itself, into which the steps that follow may not write.
        return dict(img=part if part.flags.writeable else part.copy(), input_matrix=backward.astype(np.float32))
