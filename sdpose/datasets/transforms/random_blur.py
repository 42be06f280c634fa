"""Blurs at random, as in RTMPose's recipe (arXiv:2303.07399), without a package beside OpenCV."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from mmpose.registry import TRANSFORMS

from .step_checks import require_crop, require_probability


@TRANSFORMS.register_module()
class RandomBlur(BaseTransform):
    """Blur a crop by the mean and by the median of a window, each with a probability of its own; behind the crop.

    Args:
        mean_prob: Probability of the mean.
        median_prob: Probability of the median, which comes second.
        sizes: Sides of the window in pixels, odd; each as likely as the others.

    Raises:
        ValueError: If a probability is outside [0, 1], or a size is even or below 3.
    """

    def __init__(self, mean_prob: float = 0.1, median_prob: float = 0.1, sizes: Sequence[int] = (3, 5, 7)) -> None:
        super().__init__()
        require_probability('mean_prob', mean_prob)
        require_probability('median_prob', median_prob)
        if not sizes or any(size < 3 or size % 2 == 0 for size in sizes):  # OpenCV refuses even ones in mid-epoch
            raise ValueError(f'sizes must be odd numbers of at least 3, got {tuple(sizes)}')
        self.mean_prob, self.median_prob, self.sizes = mean_prob, median_prob, tuple(sizes)

    @cache_randomness
    def _draw(self) -> tuple[int, int]:
        """The windows of mean and median, 0 for none."""
        wanted = np.random.random_sample(2) < (self.mean_prob, self.median_prob)
        mean, median = np.where(wanted, np.random.choice(self.sizes, 2), 0)
        return int(mean), int(median)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Blur ``img``.

        Raises:
            ConfigError: If it is not cropped yet.
        """
        require_crop(results, self)
        mean, median = self._draw()
        if mean:
            results['img'] = cv2.blur(results['img'], (mean, mean))
        if median:
            results['img'] = cv2.medianBlur(results['img'], median)
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(mean_prob={self.mean_prob}, median_prob={self.median_prob}, sizes={self.sizes})'
