"""Suppression of repeated people of an image by object key point similarity (OKS), for all images at once.

Shapes: N people, K joints, P pairs.
"""

import numpy as np

from .pairs import PEOPLE, pairs_of_ranges
from .predictions import Predictions

_MOST_BY_SOFT = 20  # people that MMPose's soft suppression keeps of an image


def kept_people(
    people: Predictions, scores: np.ndarray, starts: np.ndarray, mode: str, threshold: float, sigmas: np.ndarray
) -> np.ndarray:
    """Places of the people that stay, in MMPose's order: image by image, within one from the highest score on.

    Args:
        people: People, image by image.
        scores: (N,), theirs.
        starts: Where each image begins, with N at the end.
        mode: ``'oks_nms'``, ``'soft_oks_nms'`` or ``'none'``, which leaves order and number.
        threshold: The OKS above which the lower one of two people goes; soft: the width of the decay.
        sigmas: (K,), of the joints.
    """
    if mode == 'none':
        return np.arange(len(scores))
    # What is equal comes in the order that this very call gives on these very values.
    places = [first + scores[first:last].argsort()[::-1] for first, last in zip(starts, starts[1:])]
    order = np.concatenate([np.empty(0, int), *places])
    similarity = _Similarity(people, sigmas)
    if mode == 'oks_nms':
        return order[_greedy(similarity, order, np.repeat(starts[1:], np.diff(starts)), threshold)]
    soft = [_soft(similarity, own, scores[own], threshold) for own in places]
    return np.concatenate([np.empty(0, int), *soft])


class _Similarity:
    """OKS between predictions, as MMPose's ``oks_iou`` computes it: in float64, kept in float32."""

    def __init__(self, people: Predictions, sigmas: np.ndarray) -> None:
        kind = np.result_type(people.joints, people.joint_scores)  # MMPose keeps them in one array
        self.x = np.ascontiguousarray(people.joints[..., 0], kind)
        self.y = np.ascontiguousarray(people.joints[..., 1], kind)
        self.areas = people.areas
        self.variances = (sigmas * 2) ** 2

    def __call__(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """OKS (P,) of pairs of places."""
        areas = (self.areas[first] + self.areas[second]) / 2 + np.spacing(1)
        away = (self.x[second] - self.x[first]) ** 2 + (self.y[second] - self.y[first]) ** 2
        decay = away / self.variances / areas[:, None] / 2
        np.negative(decay, out=decay)
        return (np.exp(decay, out=decay).sum(axis=1) / decay.shape[1]).astype(np.float32)


def _greedy(similarity: _Similarity, order: np.ndarray, ends: np.ndarray, threshold: float) -> np.ndarray:
    """A mask (N,) over an order: of each image, people who are like no better one that stays.

    Args:
        similarity: Of two places.
        order: (N,), places by image and falling score.
        ends: (N,), where the image of each ends.
        threshold: The OKS that a pair must not exceed.
    """
    removed = bytearray(len(order))
    for first, second in pairs_of_ranges(np.arange(1, len(order) + 1), ends, PEOPLE):
        alike = ~(similarity(order[first], order[second]) <= threshold)  # NaN is alike
        for better, worse in zip(first[alike].tolist(), second[alike].tolist()):
            if not removed[better]:
                removed[worse] = 1
    return np.frombuffer(removed, np.uint8) == 0


def _soft(similarity: _Similarity, order: np.ndarray, scores: np.ndarray, threshold: float) -> np.ndarray:
    """Places of the people of one image who stay: the best 20, where each lowers the scores of those like it.

    Args:
        similarity: Of two places.
        order: Places of the image's people by falling score.
        scores: Their scores, in that order.
        threshold: The width of the decay.
    """
    kept: list[int] = []
    while len(order) and len(kept) < _MOST_BY_SOFT:
        best, order = order[0], order[1:]
        alike = similarity(np.full(len(order), best), order)
        scores = scores[1:] * np.exp(-(alike**2) / threshold)
        again = scores.argsort()[::-1]
        order, scores = order[again], scores[again]
        kept.append(int(best))
    return np.array(kept, int)
