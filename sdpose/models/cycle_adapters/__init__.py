"""Parts that make the later cycles of a transformer differ from the first one."""

from .base import CycleAdapter, CycleAdapters
from .cycle_coefficients import CycleCoefficients
from .cycle_embedding import CycleEmbedding
from .cycle_injection import CycleInjection
from .cycle_lora import CycleLoRA
from .cycle_norm import CycleNorm
from .cycle_restart import CycleRestart

__all__ = [
    'CycleAdapter',
    'CycleAdapters',
    'CycleCoefficients',
    'CycleEmbedding',
    'CycleInjection',
    'CycleLoRA',
    'CycleNorm',
    'CycleRestart',
]
