"""COCO annotation files, parsed once per machine into arrays that processes share by a memory map."""

from .arrays import ABSENT, PARTS, Arrays, from_content
from .store import Store, open_store

__all__ = ['ABSENT', 'PARTS', 'Arrays', 'Store', 'from_content', 'open_store']
