"""``benchmark.py train``: the training step beside the released code's way to compute it."""

from .command import add_arguments, run

__all__ = ['add_arguments', 'run']
