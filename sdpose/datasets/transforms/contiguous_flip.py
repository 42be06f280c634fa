"""MMPose's random flip with mirrored pixels that lie in memory as a picture's do."""

from typing import Any

import cv2
from mmpose.datasets.transforms import RandomFlip
from mmpose.registry import TRANSFORMS

_CODES = {'horizontal': 1, 'vertical': 0, 'diagonal': -1}


@TRANSFORMS.register_module()
class ContiguousFlip(RandomFlip):
    """``RandomFlip`` bit for bit, from the same draws, whose picture the crop reads five to six times as fast.

    MMPose mirrors by a view with a negative stride, of which ``cv2.warpAffine`` makes a copy pixel by pixel: 1.5 ms for
    640 x 480 pixels, where mirroring with OpenCV and warping take 0.3. Folding the flip into the warp's matrix would be
    no faster, and OpenCV 4, which rounds source positions to 1/32 pixel, would give other pixels.

    Args:
        prob: As for ``RandomFlip``.
        direction: As for ``RandomFlip``.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Flip picture, box and key points of a sample, or leave them."""
        image = results['img']
        results = super().transform(results)
        if results['flip'] and not isinstance(image, list):
            results['img'] = cv2.flip(image, _CODES[results['flip_direction']])
        return results
