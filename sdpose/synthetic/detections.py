"""Person boxes as a detector would report them: shifted a little, some missed, some of nobody."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

_JITTER = 0.04
"""Standard deviation of each border, in widths and heights of the box."""
_MISSED = 0.04
_FALSE = 0.3
"""Mean number of boxes of nobody per picture; they get low scores."""


def simulate_detections(image: dict[str, Any], people: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Entries of a COCO file of detections for one picture; the same for the same picture.

    Args:
        image: COCO's entry, with ``id``, ``width`` and ``height``.
        people: COCO annotations with ``bbox``.
    """
    rng, size = np.random.default_rng([image['id'], 7]), (image['width'], image['height'])
    for person in people:
        x, y, width, height = person['bbox']
        corners = np.array([x, y, x + width, y + height]) + rng.normal(0, _JITTER, 4) * (width, height, width, height)
        score = float(np.clip(rng.normal(0.9, 0.08), 0.3, 0.999))
        if rng.random() >= _MISSED:
            yield _entry(image['id'], corners, size, score)
    for _ in range(int(rng.poisson(_FALSE))):
        centre, extent = rng.uniform(0, size), rng.uniform(0.1, 0.5, 2) * size
        corners = np.concatenate([centre - extent / 2, centre + extent / 2])
        yield _entry(image['id'], corners, size, float(rng.uniform(0.1, 0.5)))


def _entry(image_id: int, corners: np.ndarray, size: tuple[int, int], score: float) -> dict[str, Any]:
    """A box clipped to the picture, at least a pixel wide and high."""
    low, high = np.clip(corners.reshape(2, 2), 0, size)
    low = np.minimum(low, np.subtract(size, 1))
    box = [round(value, 2) for value in (*low.tolist(), *np.maximum(high - low, 1).tolist())]
    return dict(image_id=image_id, category_id=1, bbox=box, score=round(score, 4))
