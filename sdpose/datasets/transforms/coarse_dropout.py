"""A black hole in a crop, as in RTMPose's recipe (arXiv:2303.07399): a model must do with what is left of a person."""

from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from mmpose.registry import TRANSFORMS

from .step_checks import require_crop, require_probability


@TRANSFORMS.register_module()
class CoarseDropout(BaseTransform):
    """Blacken one rectangle of a crop, with a probability; joints in it keep their place and weight. Behind the crop.

    Args:
        prob: The probability.
        low: Least height and width of the hole over those of the crop, drawn separately.
        high: Most of both.

    Raises:
        ValueError: If the probability is outside [0, 1], or not 0 < low <= high <= 1.
    """

    def __init__(self, prob: float = 1.0, low: float = 0.2, high: float = 0.4) -> None:
        super().__init__()
        require_probability('prob', prob)
        if not 0 < low <= high <= 1:
            raise ValueError(f'low and high are shares of the crop with 0 < low <= high <= 1, got {low} and {high}')
        self.prob, self.low, self.high = prob, low, high

    @cache_randomness
    def _draw(self) -> tuple[bool, np.ndarray, np.ndarray]:
        """Whether there is a hole, its height and width over the crop's, and where in what is left it begins (0-1)."""
        wanted = np.random.random_sample() < self.prob
        return wanted, np.random.uniform(self.low, self.high, 2), np.random.random_sample(2)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Blacken a part of ``img``, in place.

        Raises:
            ConfigError: If it is not cropped yet.
        """
        require_crop(results, self)
        wanted, shares, place = self._draw()
        if wanted:
            sides = np.array(results['img'].shape[:2])
            hole = np.maximum(sides * shares, 1).astype(int)
            (top, left), (height, width) = ((sides - hole + 1) * place).astype(int), hole
            results['img'][top : top + height, left : left + width] = 0
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(prob={self.prob}, low={self.low}, high={self.high})'
