"""What MMPose's data sets and transforms lack; importing this registers it."""

from . import transforms

__all__ = ['transforms']
