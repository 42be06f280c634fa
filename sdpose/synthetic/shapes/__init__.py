"""Pictures of simple shapes in class folders, drawn from an integer seed, for classification without downloads."""

from .outlines import CLASSES
from .picture import draw_picture

__all__ = ['CLASSES', 'draw_picture']
