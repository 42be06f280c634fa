"""Loops of evaluation."""

from .all_cycles_test_loop import AllCyclesTestLoop

__all__ = ['AllCyclesTestLoop']
