"""What MMPose's data sets and transforms lack; importing this registers it."""

from . import samplers, transforms
from .array_coco_dataset import ArrayAP10KDataset, ArrayCocoDataset, ArrayCocoWholeBodyDataset, ArrayCrowdPoseDataset
from .class_folder import ClassFolderDataset
from .mpii_test_dataset import MpiiTestDataset

__all__ = [
    'ArrayAP10KDataset',
    'ArrayCocoDataset',
    'ArrayCocoWholeBodyDataset',
    'ArrayCrowdPoseDataset',
    'ClassFolderDataset',
    'MpiiTestDataset',
    'samplers',
    'transforms',
]
