"""Samplers that MMEngine lacks."""

from .repeated_augmentation_sampler import RepeatedAugmentationSampler

__all__ = ['RepeatedAugmentationSampler']
