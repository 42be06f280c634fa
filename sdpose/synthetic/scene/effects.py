"""What a camera adds: texture of surfaces, blur, exposure, noise and JPEG."""

from functools import lru_cache, reduce

import cv2
import numpy as np

from .levels import Level

_MARGIN = 96


@lru_cache(maxsize=4)
def _bank(width: int, height: int, kind: str) -> np.ndarray:
    """Noise around grey 128 with a standard deviation of 24, larger than the picture it is cut from."""
    rng = np.random.default_rng(0)
    shape = (height + _MARGIN, width + _MARGIN)
    noise: np.ndarray
    if kind == 'grain':
        noise = rng.normal(size=(*shape, 3)).astype(np.float32)
        noise = 0.5 * noise + 0.85 * noise[..., :1]  # sensor noise is mostly the same in all channels after demosaicing
    else:
        layers = [
            cv2.resize(
                rng.normal(size=(shape[0] // step + 2, shape[1] // step + 2)).astype(np.float32),
                shape[::-1],
                interpolation=cv2.INTER_CUBIC,
            )
            for step in (4, 12, 40)
        ]
        noise = reduce(np.add, layers)
        noise = np.repeat(noise[..., None], 3, 2)
    return np.clip(128 + 24 * noise / noise.std(), 0, 255).astype(np.uint8)


def add_noise(image: np.ndarray, rng: np.random.Generator, kind: str, spread: float) -> None:
    """Adds noise in place.

    Args:
        kind: ``'grain'`` of a sensor or ``'surface'``, smooth blotches of several sizes.
        spread: Standard deviation in grey levels.
    """
    height, width = image.shape[:2]
    y, x = rng.integers(0, _MARGIN, 2)
    piece = _bank(width, height, kind)[y : y + height, x : x + width]
    cv2.addWeighted(image, 1.0, piece, spread / 24, -128 * spread / 24, dst=image)


def _blur(image: np.ndarray, rng: np.random.Generator, sigma: float) -> np.ndarray:
    """Defocus or, in one case of three, motion blur."""
    if rng.random() < 0.67:
        return cv2.GaussianBlur(image, (0, 0), max(0.3, sigma))
    length, angle = max(3.0, 5 * sigma), rng.uniform(0, np.pi)
    size = int(length) | 1
    kernel, half = np.zeros((size, size), np.float32), (size - 1) / 2
    dx, dy = half * np.cos(angle), half * np.sin(angle)
    cv2.line(kernel, (round(half - dx), round(half - dy)), (round(half + dx), round(half + dy)), 1.0, 1)
    return cv2.filter2D(image, -1, kernel / kernel.sum())


def photograph(image: np.ndarray, rng: np.random.Generator, level: Level) -> np.ndarray:
    """The picture as a camera of this level would have taken it."""
    probability, largest = level.blur
    if rng.random() < probability:
        image = _blur(image, rng, rng.uniform(0.3, 1) * largest * image.shape[0] / 480)
    gain, tint = float(np.clip(rng.normal(1, 0.10), 0.7, 1.25)), rng.normal(0, 0.02, 3)
    offset = float(rng.normal(0, 6))
    ramp = np.arange(256)[:, None] * gain * (1 + tint) + offset
    image = cv2.LUT(image, np.clip(ramp, 0, 255).astype(np.uint8).reshape(1, 256, 3))
    add_noise(image, rng, 'grain', float(rng.uniform(*level.noise)))
    return image


def jpeg(image: np.ndarray, quality: int) -> bytes:
    """The picture as JPEG file content."""
    return cv2.imencode('.jpg', image, (cv2.IMWRITE_JPEG_QUALITY, quality))[1].tobytes()


def sample_quality(rng: np.random.Generator, bounds: tuple[int, int]) -> int:
    """A JPEG quality."""
    return int(rng.integers(bounds[0], bounds[1] + 1))
