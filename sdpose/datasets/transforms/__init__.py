"""Transforms that MMPose lacks or draws differently."""

from . import torchvision_transforms
from .clipped_normal_bbox import ClippedNormalBBoxTransform
from .load_checked_image import LoadCheckedImage
from .load_class_image import LoadClassImage
from .pack_class_inputs import PackClassInputs
from .seed_by_sample import SeedBySample
from .zero_based_keypoints import ZeroBasedKeypoints

__all__ = [
    'ClippedNormalBBoxTransform',
    'LoadCheckedImage',
    'LoadClassImage',
    'PackClassInputs',
    'SeedBySample',
    'ZeroBasedKeypoints',
    'torchvision_transforms',
]
