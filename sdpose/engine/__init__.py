"""Hooks, loops, log and precision of the runs; importing this registers them."""

from . import cpu_amp_optim_wrapper, hooks, log_processors, loops

__all__ = ['cpu_amp_optim_wrapper', 'hooks', 'log_processors', 'loops']
