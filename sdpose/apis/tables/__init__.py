"""Tables of experiments: train and evaluate every row over several seeds, and report them beside the paper's."""

from .run_table import run_table

__all__ = ['run_table']
