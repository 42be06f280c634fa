"""Loops of training and evaluation."""

from .all_cycles_test_loop import AllCyclesTestLoop
from .resumable_train_loop import ResumableTrainLoop

__all__ = ['AllCyclesTestLoop', 'ResumableTrainLoop']
