"""Tables of experiments: train and evaluate rows over several seeds, and report them beside the paper's numbers."""

from .collect import collect
from .reproduce import reproduce
from .run_table import run_table
from .work import Means

__all__ = ['Means', 'collect', 'reproduce', 'run_table']
