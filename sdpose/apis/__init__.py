"""Training and testing from Python, as the command-line tools do it."""

from .testing import test
from .training import train

__all__ = ['test', 'train']
