"""What kind of metric an evaluator's config stands for."""

import inspect
from typing import Any

from mmpose.evaluation.metrics import CocoMetric, MpiiPCKAccuracy
from mmpose.registry import METRICS

from .nodes import resolve_type


def is_coco(cfg: dict[str, Any]) -> bool:
    """Whether a metric's config is that of ``CocoMetric`` or of a subclass."""
    return _is(cfg, CocoMetric)


def reads_head_boxes(cfg: dict[str, Any]) -> bool:
    """Whether a metric measures PCKh on MPII: in sizes of heads, and not only writes predictions."""
    return _is(cfg, MpiiPCKAccuracy) and 'head' in cfg.get('norm_item', 'head') and not cfg.get('format_only')


def tells_classes(cfg: dict[str, Any]) -> bool:
    """Whether a metric is the accuracy of a classification."""
    return cfg.get('type') == 'TopKAccuracy'


def writes_results(cfg: dict[str, Any]) -> bool:
    """Whether a metric can write a result file, as ``CocoMetric`` and ``MpiiMetric`` can."""
    metric: Any = resolve_type(cfg, METRICS)
    return metric is not None and 'outfile_prefix' in inspect.signature(metric.__init__).parameters


def _is(cfg: dict[str, Any], base: type) -> bool:
    metric = resolve_type(cfg, METRICS)
    return metric is not None and issubclass(metric, base)
