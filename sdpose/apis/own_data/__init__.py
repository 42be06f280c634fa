"""A config for annotated pictures of one's own, written from what the annotation file says."""

from .asked import Asked
from .make import NewDataset, new_dataset

__all__ = ['Asked', 'NewDataset', 'new_dataset']
