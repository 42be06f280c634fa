"""Synthetic people: articulated, textured figures with exact COCO annotations, drawn from an integer seed.

NumPy and OpenCV only.  One seed is one scene, whatever the number of processes.
"""

from .scene.levels import LEVELS, Level
from .scene.scene import Scene, draw_scene

__all__ = ['LEVELS', 'Level', 'Scene', 'draw_scene']
