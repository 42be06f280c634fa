"""Hooks, loops and log of the runs; importing this registers them."""

from . import hooks, log_processors, loops

__all__ = ['hooks', 'log_processors', 'loops']
