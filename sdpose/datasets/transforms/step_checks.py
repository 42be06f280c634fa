"""What steps of a training pipeline check alike: their probabilities, and whether a sample is cropped yet."""

from typing import Any

from mmcv.transforms import BaseTransform

from sdpose.errors import ConfigError


def require_probability(name: str, value: float) -> None:
    """Refuse what is no probability.

    Raises:
        ValueError: If it is outside [0, 1].
    """
    if not 0 <= value <= 1:
        raise ValueError(f'{name} must be a probability in [0, 1], got {value}')


def require_crop(results: dict[str, Any], step: BaseTransform) -> None:
    """Refuse a sample of which the model, and not the loader, will cut the crop, or none was cut yet.

    Raises:
        ConfigError: If so.
    """
    name = type(step).__name__
    if 'input_matrix' in results:
        raise ConfigError(
            f"{name} changes a crop's pixels, but DeferredAffine leaves the crop to the model: set "
            "affine_step='WindowedAffine'"
        )
    if 'input_size' not in results:
        raise ConfigError(f"{name} changes a crop's pixels: put it behind the affine_step, such as TopdownAffine")
