"""Evaluation: every cycle at once, result files, and what is known beside the metrics."""

from .array_coco_metric import ArrayCocoMetric
from .box_source import describe_boxes, describe_data
from .cycle_evaluator import CycleEvaluator
from .cycle_table import cycle_table
from .mpii_metric import MpiiMetric
from .result_file import ResultFile
from .top_k_accuracy import TopKAccuracy

__all__ = [
    'ArrayCocoMetric',
    'CycleEvaluator',
    'MpiiMetric',
    'ResultFile',
    'TopKAccuracy',
    'cycle_table',
    'describe_boxes',
    'describe_data',
]
