"""On what an evaluation measures: whose person boxes, a detector's or the annotated ones, or which images."""

from typing import Any, Iterator

from mmengine.config import ConfigDict


def describe_data(dataset: Any) -> dict[str, str]:
    """One line on what is evaluated, by its kind: ``boxes``, or ``images`` for a data set that describes itself."""
    if hasattr(dataset, 'describe'):
        return dict(images=dataset.describe())
    return dict(boxes=describe_boxes(dataset))


def describe_boxes(dataset: Any) -> str:
    """One line that names the boxes of a built data set and counts them."""
    parts = [_describe_part(part) for part in _parts(dataset)]
    return 'person boxes: ' + '; '.join(parts)


def _describe_part(dataset: Any) -> str:
    file = getattr(dataset, 'bbox_file', None)
    if file:
        return f'{len(dataset)} detections from {file}'
    return f'{len(dataset)} ground-truth boxes from {getattr(dataset, "ann_file", type(dataset).__name__)}'


def _parts(dataset: Any) -> Iterator[Any]:
    """The data sets below wrappers such as a concatenation."""
    inner = list(getattr(dataset, 'datasets', [])) or [getattr(dataset, 'dataset', None)]
    if inner == [None]:
        yield dataset
    else:
        for part in inner:
            yield from _parts(part)


def use_ground_truth_boxes(dataset_cfg: ConfigDict) -> None:
    """Switch a data set's config, wrapped or not, from detections to annotated boxes, in place.

    The score threshold for detections is dropped with them; the metric needs no change, since an annotated box has
    score 1.
    """
    if dataset_cfg.get('bbox_file'):
        dataset_cfg['bbox_file'] = None
        if dataset_cfg.get('filter_cfg'):
            dataset_cfg['filter_cfg'].pop('bbox_score_thr', None)
    for part in [dataset_cfg.get('dataset'), *dataset_cfg.get('datasets', [])]:
        if part is not None:
            use_ground_truth_boxes(part)
