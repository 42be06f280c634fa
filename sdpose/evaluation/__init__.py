"""Evaluation: every cycle at once, result files, and what is known beside the metrics."""

from .array_coco_metric import ArrayCocoMetric
from .box_source import describe_boxes, describe_data
from .cycle_evaluator import CycleEvaluator
from .cycle_table import cycle_table
from .mpii_metric import MpiiMetric
from .result_file import ResultFile
from .sample_record import SampleRecord
from .top_k_accuracy import TopKAccuracy
from .visibility_auc import VisibilityAUC

__all__ = [
    'ArrayCocoMetric',
    'CycleEvaluator',
    'MpiiMetric',
    'ResultFile',
    'SampleRecord',
    'TopKAccuracy',
    'VisibilityAUC',
    'cycle_table',
    'describe_boxes',
    'describe_data',
]
