"""Evaluation: every cycle at once, result files, and what is known beside the metrics."""

from .box_source import describe_boxes, use_ground_truth_boxes
from .cycle_evaluator import CycleEvaluator
from .cycle_table import cycle_table
from .evaluators import as_list, is_coco
from .result_file import ResultFile

__all__ = [
    'CycleEvaluator', 'ResultFile', 'as_list', 'cycle_table', 'describe_boxes', 'is_coco', 'use_ground_truth_boxes'
]
