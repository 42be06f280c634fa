"""Loops of training and evaluation."""

from .all_cycles_test_loop import AllCyclesTestLoop
from .halting_test_loop import HaltingTestLoop
from .resumable_train_loop import ResumableTrainLoop

__all__ = ['AllCyclesTestLoop', 'HaltingTestLoop', 'ResumableTrainLoop']
