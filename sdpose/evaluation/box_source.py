"""On what an evaluation measures: whose person boxes, a detector's or the annotated ones, or which images."""

from typing import Any

from sdpose.config.nodes import inner_datasets, iter_datasets


def describe_data(dataset: Any) -> dict[str, str]:
    """One line on what is evaluated, by its kind: ``boxes``, or ``images`` for a data set that describes itself."""
    if hasattr(dataset, 'describe'):
        return dict(images=dataset.describe())
    return dict(boxes=describe_boxes(dataset))


def describe_boxes(dataset: Any) -> str:
    """One line that names the boxes of a built data set and counts them."""
    parts = [_describe_part(part) for part in iter_datasets(dataset) if not inner_datasets(part)]
    return 'person boxes: ' + '; '.join(parts)


def _describe_part(dataset: Any) -> str:
    file = getattr(dataset, 'bbox_file', None)
    if file:
        return f'{len(dataset)} detections from {file}'
    return f'{len(dataset)} ground-truth boxes from {getattr(dataset, "ann_file", type(dataset).__name__)}'
