"""Transforms that MMPose lacks or draws differently."""

from .clipped_normal_bbox import ClippedNormalBBoxTransform
from .load_checked_image import LoadCheckedImage
from .seed_by_sample import SeedBySample

__all__ = ['ClippedNormalBBoxTransform', 'LoadCheckedImage', 'SeedBySample']
