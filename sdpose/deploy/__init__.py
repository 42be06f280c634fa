"""Models outside of PyTorch. Importing this needs NumPy and OpenCV, but neither torch nor MMPose."""

from .runtime import ExportedFile, PoseRuntime

__all__ = ['ExportedFile', 'PoseRuntime']
