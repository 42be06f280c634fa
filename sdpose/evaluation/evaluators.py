"""The metrics of a config's ``val_evaluator`` or ``test_evaluator``, which may be one, several or none."""

import inspect
from typing import Any

from mmpose.evaluation.metrics import CocoMetric
from mmpose.registry import METRICS


def as_list(evaluators: Any) -> list[dict[str, Any]]:
    """The metrics' configs as a list."""
    if isinstance(evaluators, (list, tuple)):
        return list(evaluators)
    return [evaluators] if evaluators else []


def is_coco(cfg: dict[str, Any]) -> bool:
    """Whether a metric's config is that of ``CocoMetric`` or of a subclass."""
    metric = METRICS.get(cfg['type']) if isinstance(cfg.get('type'), str) else cfg.get('type')
    return isinstance(metric, type) and issubclass(metric, CocoMetric)


def writes_results(cfg: dict[str, Any]) -> bool:
    """Whether a metric can write a result file, as ``CocoMetric`` and ``MpiiMetric`` can."""
    metric = METRICS.get(cfg['type']) if isinstance(cfg.get('type'), str) else cfg.get('type')
    return isinstance(metric, type) and 'outfile_prefix' in inspect.signature(metric.__init__).parameters
