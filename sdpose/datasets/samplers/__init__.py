"""Samplers that MMEngine lacks."""

from .grouped_by_image_sampler import GroupedByImageSampler
from .repeated_augmentation_sampler import RepeatedAugmentationSampler

__all__ = ['GroupedByImageSampler', 'RepeatedAugmentationSampler']
