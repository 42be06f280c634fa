from .attention import SelfAttention
from .layer import TransformerLayer
from .mct import MultiCycledTransformer
from .position import POSITION_MODES, sine_table
from .tokenizer import Tokenizer

__all__ = ['POSITION_MODES', 'MultiCycledTransformer', 'SelfAttention', 'Tokenizer', 'TransformerLayer', 'sine_table']
