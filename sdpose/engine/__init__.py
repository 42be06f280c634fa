"""Hooks that every run uses; importing this registers them."""

from . import hooks

__all__ = ['hooks']
