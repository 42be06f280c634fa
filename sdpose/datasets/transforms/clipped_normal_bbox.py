"""Random shift, size and rotation of a person box, with the distributions of the MMPose 0.x recipe.

Source: the published training recipe (MMPose 0.29). MMPose 1.3's ``RandomBBoxTransform`` differs: it draws shift, size
and rotation from a normal *truncated* at one sigma, so no draw ever sits at the limit and rotations stay milder.
Shapes: n boxes; ``bbox_center`` and ``bbox_scale`` (n, 2) in pixels, ``bbox_rotation`` (n,) in degrees.
"""

from collections.abc import Sequence

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from mmpose.registry import TRANSFORMS

from .step_checks import require_probability


@TRANSFORMS.register_module()
class ClippedNormalBBoxTransform(BaseTransform):
    """Shift, resize and rotate person boxes at random.

    - shift: with ``shift_prob``, uniform in ±``shift_factor`` of the box, separately in x and y;
    - size: times ``clip(1 + scale_factor * N(0, 1), 1 - scale_factor, 1 + scale_factor)``, always;
    - rotation: with ``rotate_prob``, ``clip(rotate_factor * N(0, 1), -2 rotate_factor, 2 rotate_factor)`` degrees.

    The recipe shifts *before* the half-body crop, which replaces the box, and resizes and rotates after it. A pipeline
    says so by using this transform twice, with the other half switched off (``scale_factor=0, rotate_prob=0``, then
    ``shift_prob=0``). A rotation that is already set is added to.

    Args:
        shift_factor: Largest shift, as a fraction of the box's size.
        shift_prob: Probability of a shift.
        scale_factor: Standard deviation and limit of the relative size; 0 keeps the size.
        rotate_factor: Standard deviation of the rotation in degrees; twice of it is the limit.
        rotate_prob: Probability of a rotation.
        input_size: (w, h) of the model's input. Given, the shift is measured on the box widened to that aspect
            ratio, as in 0.x, where a box had it from the start; ``bbox_scale`` itself is left to the later crop.

    Raises:
        ValueError: If a probability is outside [0, 1], a factor is negative, or ``scale_factor`` is not below 1.
    """

    def __init__(
        self,
        shift_factor: float = 0.16,
        shift_prob: float = 0.3,
        scale_factor: float = 0.35,
        rotate_factor: float = 45.0,
        rotate_prob: float = 0.6,
        input_size: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        for name, value in (('shift_prob', shift_prob), ('rotate_prob', rotate_prob)):
            require_probability(name, value)
        for name, value in (('shift_factor', shift_factor), ('rotate_factor', rotate_factor)):
            if value < 0:
                raise ValueError(f'{name} must not be negative, got {value}')
        if not 0 <= scale_factor < 1:
            raise ValueError(
                f'scale_factor must be in [0, 1), got {scale_factor}; it is a deviation around size 1, '
                "not the (min, max) pair of MMPose's RandomBBoxTransform"
            )
        if input_size is not None and (len(input_size) != 2 or min(input_size) <= 0):
            raise ValueError(f'input_size must be (width, height), got {input_size}')
        self.shift_factor = shift_factor
        self.shift_prob = shift_prob
        self.scale_factor = scale_factor
        self.rotate_factor = rotate_factor
        self.rotate_prob = rotate_prob
        self.aspect_ratio = None if input_size is None else input_size[0] / input_size[1]

    @cache_randomness
    def _draw(self, num_boxes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Draw shifts (n, 2) in box sizes, relative sizes (n, 1) and rotations (n,) in degrees."""
        uniform = np.random.random_sample((num_boxes, 4)).astype(np.float32)
        normal = np.random.standard_normal((num_boxes, 2)).astype(np.float32)
        shift = (2 * uniform[:, :2] - 1) * self.shift_factor * (uniform[:, 2:3] < self.shift_prob)
        size = 1 + self.scale_factor * np.maximum(np.minimum(normal[:, :1], 1), -1)
        rotation = self.rotate_factor * np.maximum(np.minimum(normal[:, 1], 2), -2)
        return shift, size, rotation * (uniform[:, 3] < self.rotate_prob)

    def transform(self, results: dict) -> dict:
        """Change ``bbox_center``, ``bbox_scale`` and ``bbox_rotation`` of one sample."""
        scale = results['bbox_scale']
        shift, size, rotation = self._draw(len(scale))
        if self.shift_prob > 0:
            results['bbox_center'] = results['bbox_center'] + shift * self._widened(scale)
        results['bbox_scale'] = scale * size
        results['bbox_rotation'] = results.get('bbox_rotation', 0) + rotation
        return results

    def _widened(self, scale: np.ndarray) -> np.ndarray:
        """Boxes (n, 2) grown to the aspect ratio of the input."""
        if self.aspect_ratio is None:
            return scale
        width, height = scale[:, :1], scale[:, 1:]
        return np.hstack([np.maximum(width, height * self.aspect_ratio), np.maximum(height, width / self.aspect_ratio)])

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(shift_factor={self.shift_factor}, shift_prob={self.shift_prob}, '
            f'scale_factor={self.scale_factor}, rotate_factor={self.rotate_factor}, '
            f'rotate_prob={self.rotate_prob}, aspect_ratio={self.aspect_ratio})'
        )
