"""Hooks and loops of the runs; importing this registers them."""

from . import hooks, loops

__all__ = ['hooks', 'loops']
