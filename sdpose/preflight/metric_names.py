"""What the results of a metric are called, by its config."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from mmengine.evaluator import BaseMetric
from mmpose.evaluation.metrics import AUC, EPE, NME, CocoMetric, MpiiPCKAccuracy, PCKAccuracy
from mmpose.registry import METRICS

from sdpose.config.evaluators import is_coco, reads_head_boxes, tells_classes
from sdpose.config.nodes import resolve_type
from sdpose.evaluation.array_coco_metric import ArrayCocoMetric
from sdpose.evaluation.mpii_metric import MpiiMetric
from sdpose.evaluation.top_k_accuracy import TopKAccuracy


def metric_names(cfg: dict[str, Any]) -> tuple[str, set[str] | None] | None:
    """What a metric's results are called.

    Args:
        cfg: The metric's config.

    Returns:
        The prefix, which stands before each name with a slash, or ``''``, and the names: None where the class has its
        own way to compute, and its names are not known. None for no metric that is registered.
    """
    kind: Any = resolve_type(cfg, METRICS)
    if kind is None or not issubclass(kind, BaseMetric):
        return None
    prefix = cfg.get('prefix') or kind.default_prefix or ''
    if cfg.get('format_only') and 'format_only' in inspect.signature(kind.__init__).parameters:
        return prefix, set()
    for base, names in _NAMES.items():
        methods = ('compute_metrics', '_do_python_keypoint_eval')
        if issubclass(kind, base) and all(getattr(kind, name, 0) is getattr(base, name, 0) for name in methods):
            return prefix, names(cfg)
    return prefix, None


def to_per_cent(name: str, metrics: Sequence[dict[str, Any]]) -> float | None:
    """What a result is multiplied by for per cent.

    Args:
        name: Of the result, with its prefix.
        metrics: The configs of the metrics that compute it and others.

    Returns:
        1 for PCKh and accuracies, which are in per cent; 100 for AP and other shares, which are from 0 to 1; None for
        errors in units of their own, such as ``EPE``, and for metrics that are not known.
    """
    prefix, _, own = name.rpartition('/')
    for cfg in metrics:
        told = metric_names(cfg)
        if told is None or told[0] != prefix or (told[1] is not None and own not in told[1]):
            continue
        if reads_head_boxes(cfg) or tells_classes(cfg):
            return 1.0
        kind: Any = resolve_type(cfg, METRICS)
        return 100.0 if is_coco(cfg) or issubclass(kind, (PCKAccuracy, AUC)) else None
    return None


def _coco_names(cfg: dict[str, Any]) -> set[str]:
    if cfg.get('iou_type') == 'keypoints_crowd':
        return {'AP', 'AP .5', 'AP .75', 'AR', 'AR .5', 'AR .75', 'AP(E)', 'AP(M)', 'AP(H)'}
    return {f'{kind}{part}' for kind in ('AP', 'AR') for part in ('', ' .5', ' .75', ' (M)', ' (L)')}


def _pck_names(cfg: dict[str, Any], head: set[str] | None = None, default: str = 'bbox') -> set[str]:
    wanted = cfg.get('norm_item', default)
    wanted = [wanted] if isinstance(wanted, str) else wanted
    names = dict(bbox={'PCK'}, head=head or {'PCKh'}, torso={'tPCK'})
    return set().union(*(found for item, found in names.items() if item in wanted))


def _mpii_names(cfg: dict[str, Any]) -> set[str]:
    parts = ('Head', 'Shoulder', 'Elbow', 'Wrist', 'Hip', 'Knee', 'Ankle')
    return _pck_names(cfg, {'PCK', 'PCK@0.1', *(f'{part} PCK' for part in parts)}, 'head')


def _top_names(cfg: dict[str, Any]) -> set[str]:
    topk = cfg.get('topk', (1, 5))
    return {f'top{k}' for k in ([topk] if isinstance(topk, int) else topk)}


# The names by the class that computes them.
_NAMES: dict[type, Callable[[dict[str, Any]], set[str]]] = {
    ArrayCocoMetric: _coco_names,
    CocoMetric: _coco_names,
    MpiiMetric: _mpii_names,
    MpiiPCKAccuracy: _mpii_names,
    PCKAccuracy: _pck_names,
    TopKAccuracy: _top_names,
    AUC: lambda cfg: {'AUC'},
    EPE: lambda cfg: {'EPE'},
    NME: lambda cfg: {'NME'},
}
