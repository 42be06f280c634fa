from .base import BaseDistiller
from .self_distiller import SelfDistiller

__all__ = ['BaseDistiller', 'SelfDistiller']
