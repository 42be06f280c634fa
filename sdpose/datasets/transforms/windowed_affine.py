"""MMPose's crop of a person's box from four channels, which OpenCV warps in half the time of three."""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import cv2
import numpy as np
from mmpose.datasets.transforms import TopdownAffine
from mmpose.registry import TRANSFORMS
from mmpose.structures.bbox import get_udp_warp_matrix

Window = tuple[slice, slice]  # rows and columns
_WIDENED = (np.uint8, np.uint16, np.float32)  # whose fourth channel OpenCV adds
_RIM = 2  # pixels that bilinear sampling and rounding may reach beyond the box


@TRANSFORMS.register_module()
class WindowedAffine(TopdownAffine):
    """``TopdownAffine`` bit for bit, which touches no more of a picture than the window around the turned box.

    The window alone gets a fourth channel, is read from the memory map of a cached crop, and is mirrored where
    ``RandomFlip`` left a view, of which ``cv2.warpAffine`` would copy the whole picture pixel by pixel. The matrix is
    that of ``get_warp_matrix``, without its dozens of small arrays, or UDP's. Pictures of another number of channels,
    or of numbers that OpenCV gives no fourth channel (float64), take MMPose's way. A picture that comes again, and into
    which nobody can write, as ``LoadCheckedImage`` with ``writable=False`` gives it to all people on it, gets its
    fourth channel once.

    Args:
        input_size: As for ``TopdownAffine``.
        use_udp: As for ``TopdownAffine``.
    """

    _shared: tuple[np.ndarray, np.ndarray | None] | None = None  # the last picture that stays, and its four channels

    def __getstate__(self) -> dict[str, Any]:
        """Copies, and workers that get one, start without a picture."""
        return {key: value for key, value in self.__dict__.items() if key != '_shared'}

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Crop the box of a sample to ``img`` of the input's size."""
        image, keypoints = results['img'], results.get('keypoints')
        plain = isinstance(image, np.ndarray) and image.ndim == 3 and image.shape[2] == 3
        if not plain or image.dtype not in _WIDENED or keypoints is None or 'transformed_keypoints' in results:
            return super().transform(results)
        width, height = self.input_size
        results['bbox_scale'] = _fixed_aspect(results['bbox_scale'], width / height)
        center, scale = results['bbox_center'][0], results['bbox_scale'][0]
        degrees, across, along = 0.0, 1.0, 0.0
        if 'bbox_rotation' in results:
            degrees = results['bbox_rotation'][0]
            turn = np.deg2rad(degrees)
            across, along = float(np.cos(turn)), float(np.sin(turn))
        if self.use_udp:
            matrix = get_udp_warp_matrix(center, scale, degrees, output_size=(width, height))
        else:
            matrix = _matrix(center, scale, across, along, (width, height))
        window = partial(_window, image, center.tolist(), scale.tolist(), abs(across), abs(along))
        transformed = keypoints.copy()
        transformed[..., :2] = cv2.transform(keypoints[..., :2], matrix)
        results.update(
            self._crop(image, window, matrix),
            transformed_keypoints=transformed,
            input_size=(width, height),
            input_center=center,
            input_scale=scale,
        )
        return results

    def _crop(self, image: np.ndarray, window: Callable[[], Window], matrix: np.ndarray) -> dict[str, Any]:
        """The results of cropping: the image of the input's size.

        Args:
            image: The picture (H, W, 3), perhaps a mirrored view.
            window: Tells what of it the box touches.
            matrix: (2, 3), from pixels of the picture to those of the input.
        """
        width, height = self.input_size
        filled = self._four_channels(image)
        if filled is None:
            filled = _filled(image, window())
        warped = cv2.warpAffine(filled, matrix, (int(width), int(height)), flags=cv2.INTER_LINEAR)
        return dict(img=cv2.cvtColor(warped, cv2.COLOR_BGRA2BGR))

    def _four_channels(self, image: np.ndarray) -> np.ndarray | None:
        """A whole picture (H, W, 4) that was here before and cannot have changed; else None."""
        if image.flags.writeable:
            return None
        if self._shared is None or self._shared[0] is not image:
            self._shared = image, None
            return None
        if self._shared[1] is None:
            self._shared = image, cv2.cvtColor(image, cv2.COLOR_BGR2BGRA)
        return self._shared[1]


def _fixed_aspect(scale: np.ndarray, ratio: float) -> np.ndarray:
    """``_fix_aspect_ratio`` of one box (1, 2), in the types of MMPose, without its arrays."""
    (width, height), kind = scale[0], scale.dtype.type
    fixed = (width, width / kind(ratio)) if width > height * kind(ratio) else (height * kind(ratio), height)
    return np.array([fixed], scale.dtype)


def _matrix(center: np.ndarray, scale: np.ndarray, across: float, along: float, size: tuple[int, int]) -> np.ndarray:
    """``get_warp_matrix`` (2, 3), from the same three points in single precision.

    Args:
        center: Of the box (2,).
        scale: Its width and height (2,).
        across: Cosine of its rotation.
        along: Sine of its rotation.
        size: (w, h) of the input.
    """
    half = -0.5 * float(scale[0])
    source = np.empty((3, 2), np.float32)
    source[0] = center
    source[1] = float(center[0]) + across * half, float(center[1]) + along * half
    step = source[0] - source[1]
    source[2] = source[1, 0] - step[1], source[1, 1] + step[0]
    return cv2.getAffineTransform(source, _corners(size))


@lru_cache
def _corners(size: tuple[int, int]) -> np.ndarray:
    """Where the three points lie in an input of (w, h), (3, 2)."""
    width, height = size
    return np.array(((width / 2, height / 2), (0, height / 2), (0, height / 2 + width / 2)), np.float32)


def _window(image: np.ndarray, center: list[float], scale: list[float], across: float, along: float) -> Window:
    """Rows and columns of a picture (H, W, 3) that a box at ``center`` touches."""
    width, height = scale
    halves = ((width * across + height * along) / 2, (width * along + height * across) / 2)
    sides = []
    for middle, half, length in zip(center, halves, image.shape[1::-1], strict=True):
        low = min(max(int(middle - half) - _RIM, 0), length - 1)
        sides.append(slice(low, max(min(int(middle + half) + 1 + _RIM, length), low + 1)))
    return sides[1], sides[0]


def _filled(image: np.ndarray, window: Window) -> np.ndarray:
    """A picture (H, W, 4) that is filled in a window: other pixels are not read."""
    part = image[window]
    rows, columns = (-1 if stride < 0 else 1 for stride in part.strides[:2])  # of a mirrored view
    filled = np.empty((*image.shape[:2], 4), image.dtype)
    target = filled[window]
    if rows > 0 and columns > 0:
        cv2.cvtColor(part, cv2.COLOR_BGR2BGRA, dst=target)
    else:
        upright = cv2.cvtColor(part[::rows, ::columns], cv2.COLOR_BGR2BGRA)
        cv2.flip(upright, -1 if rows == columns else 0 if rows < 0 else 1, dst=target)
    return filled
