"""How many of the annotated people the boxes of a detector hold: no model finds the others."""

import numpy as np

from sdpose.evaluation.coco.pairs import BOXES, pairs_of_ranges
from sdpose.evaluation.coco.truth import Truth

from .subsets import box_ious


def box_recall(truth: Truth, ignored: np.ndarray, images: np.ndarray, boxes: np.ndarray, iou: float) -> float:
    """The share of annotated people who count and with whose box a predicted one has an IoU of ``iou`` or more.

    Args:
        truth: The annotated people.
        ignored: (G,), who does not count.
        images: (N,), ids of the boxes' images.
        boxes: (N, 4): left, top, width, height.
        iou: What counts as found.
    """
    place = np.searchsorted(truth.images, images)
    order = np.argsort(place, kind='stable')
    place, boxes = place[order], boxes[order]
    image = truth.group % len(truth.images)
    starts, ends = (np.searchsorted(place, image, side=side) for side in ('left', 'right'))
    largest = np.zeros(len(image))
    for person, box in pairs_of_ranges(starts, ends, BOXES):
        np.maximum.at(largest, person, box_ious(truth.boxes[person], boxes[box]))
    return float((largest[~ignored] >= iou).mean())
