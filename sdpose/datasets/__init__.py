"""What MMPose's data sets and transforms lack; importing this registers it."""

from . import samplers, transforms
from .class_folder import ClassFolderDataset

__all__ = ['ClassFolderDataset', 'samplers', 'transforms']
