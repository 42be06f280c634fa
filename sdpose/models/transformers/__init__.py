from .attention import SelfAttention
from .layer import TransformerLayer
from .linear import FastLinear
from .mct import MultiCycledTransformer
from .position import POSITION_MODES, sine_table
from .tokenizer import Tokenizer

__all__ = [
    'POSITION_MODES',
    'FastLinear',
    'MultiCycledTransformer',
    'SelfAttention',
    'Tokenizer',
    'TransformerLayer',
    'sine_table',
]
