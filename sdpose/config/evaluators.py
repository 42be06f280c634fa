"""The metrics of a config's ``val_evaluator`` or ``test_evaluator``, which may be one, several or none."""

import inspect
from typing import Any

from mmpose.evaluation.metrics import CocoMetric, MpiiPCKAccuracy
from mmpose.registry import METRICS


def as_list(evaluators: Any) -> list[dict[str, Any]]:
    """The metrics' configs as a list."""
    if isinstance(evaluators, (list, tuple)):
        return list(evaluators)
    return [evaluators] if evaluators else []


def is_coco(cfg: dict[str, Any]) -> bool:
    """Whether a metric's config is that of ``CocoMetric`` or of a subclass."""
    return _is(cfg, CocoMetric)


def reads_head_boxes(cfg: dict[str, Any]) -> bool:
    """Whether a metric measures PCKh on MPII: in sizes of heads, and not only writes predictions."""
    return _is(cfg, MpiiPCKAccuracy) and 'head' in cfg.get('norm_item', 'head') and not cfg.get('format_only')


def writes_results(cfg: dict[str, Any]) -> bool:
    """Whether a metric can write a result file, as ``CocoMetric`` and ``MpiiMetric`` can."""
    metric = _class_of(cfg)
    return isinstance(metric, type) and 'outfile_prefix' in inspect.signature(metric.__init__).parameters


def _class_of(cfg: dict[str, Any]) -> Any:
    """The class that a metric's config stands for, None if it names none that is registered."""
    return METRICS.get(cfg['type']) if isinstance(cfg.get('type'), str) else cfg.get('type')


def _is(cfg: dict[str, Any], base: type) -> bool:
    metric = _class_of(cfg)
    return isinstance(metric, type) and issubclass(metric, base)
