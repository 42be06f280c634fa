"""From pictures and videos to poses; what ``tools/demo.py`` runs."""

from .inferencer import PoseInferencer
from .results import PoseResult

__all__ = ['PoseInferencer', 'PoseResult']
