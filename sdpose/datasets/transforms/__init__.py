"""Steps of pipelines that MMPose lacks, draws differently, or takes more time for."""

from . import torchvision_transforms
from .clipped_normal_bbox import ClippedNormalBBoxTransform
from .coarse_dropout import CoarseDropout
from .deferred_affine import DeferredAffine
from .deferred_target import DeferredTarget
from .load_cached_crop import LoadCachedCrop
from .load_checked_image import LoadCheckedImage
from .load_class_image import LoadClassImage
from .pack_class_inputs import PackClassInputs
from .pack_test_inputs import PackTestInputs
from .pack_training_inputs import PackTrainingInputs
from .pack_visibility_inputs import PackVisibilityInputs
from .random_blur import RandomBlur
from .rejection_bbox_transform import RejectionBBoxTransform
from .seed_by_sample import SeedBySample
from .windowed_affine import WindowedAffine
from .zero_based_keypoints import ZeroBasedKeypoints

__all__ = [
    'ClippedNormalBBoxTransform',
    'CoarseDropout',
    'DeferredAffine',
    'DeferredTarget',
    'LoadCachedCrop',
    'LoadCheckedImage',
    'LoadClassImage',
    'PackClassInputs',
    'PackTestInputs',
    'PackTrainingInputs',
    'PackVisibilityInputs',
    'RandomBlur',
    'RejectionBBoxTransform',
    'SeedBySample',
    'WindowedAffine',
    'ZeroBasedKeypoints',
    'torchvision_transforms',
]
