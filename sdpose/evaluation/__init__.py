"""Evaluation: every cycle at once, result files, and what is known beside the metrics."""

from .box_source import describe_boxes, use_ground_truth_boxes
from .cycle_evaluator import CycleEvaluator
from .cycle_table import cycle_table
from .result_file import ResultFile

__all__ = ['CycleEvaluator', 'ResultFile', 'cycle_table', 'describe_boxes', 'use_ground_truth_boxes']
