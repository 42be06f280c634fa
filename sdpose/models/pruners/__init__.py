"""Parts that sit between the halves of a layer and leave fewer visual tokens behind."""

from .base import BasePruner
from .fusing_pruner import FusingPruner
from .token_pruner import TokenPruner, joint_attention

__all__ = ['BasePruner', 'FusingPruner', 'TokenPruner', 'joint_attention']
