"""What is known about an evaluation beside its metrics."""

from .box_source import describe_boxes, use_ground_truth_boxes
from .result_file import ResultFile

__all__ = ['ResultFile', 'describe_boxes', 'use_ground_truth_boxes']
