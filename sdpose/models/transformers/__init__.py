from .layer import SelfAttention, TransformerLayer
from .mct import MultiCycledTransformer
from .position import POSITION_MODES, sine_table
from .pruning import TokenPruner
from .tokenizer import Tokenizer

__all__ = [
    'POSITION_MODES',
    'MultiCycledTransformer',
    'SelfAttention',
    'TokenPruner',
    'Tokenizer',
    'TransformerLayer',
    'sine_table',
]
