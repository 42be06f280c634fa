"""The check of data sets in depth: every entry, every picture, and the people as a whole, nothing left at the first."""

from .finding import Finding
from .inspect import inspect_data
from .report import Inspection, SetReport

__all__ = ['Finding', 'Inspection', 'SetReport', 'inspect_data']
