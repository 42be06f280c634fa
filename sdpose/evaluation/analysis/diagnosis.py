"""What is wrong with results that match hardly anybody: joints in another order, x and y exchanged, fractions."""

from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from sdpose.evaluation.coco.matching import Candidates
from sdpose.evaluation.coco.pairs import BOXES, pairs_of_ranges

from .evaluation import Evaluation
from .pairing import joint_similarity
from .subsets import box_ious

_LEAST_IOU = 0.3
_LEAST_PEOPLE = 3  # fewer tell nothing of an order
_BETTER = 0.05  # of AP, and of similarity, before another reading is named


class Remedy(NamedTuple):
    """A change of results by which they fit the annotations better.

    Attributes:
        name: ``'joints'``, ``'x and y'`` or ``'fractions'``.
        ap: The AP of the changed results.
        order: (K,), where ``joints`` are out of order: the predicted joint that is each joint of the annotations.
    """

    name: str
    ap: float
    order: np.ndarray | None = None


def find_remedy(evaluation: Evaluation, sizes: np.ndarray) -> Remedy | None:
    """The change that raises AP most, if there is one.

    Args:
        evaluation: The evaluation.
        sizes: (I, 2), width and height of the images.
    """
    candidates, before = evaluation.candidates, evaluation.ap
    size = sizes[candidates.group % len(sizes)][:, None]
    exchanged = candidates.joints[..., ::-1]
    changes: list[tuple[str, np.ndarray, np.ndarray | None]] = [('x and y', exchanged, None)]
    if len(candidates.rank) and np.abs(candidates.joints).max() <= 2:  # pixels are hardly ever that few
        changes.append(('fractions', candidates.joints * size, None))
    order = joint_order(evaluation)
    if order is not None:
        changes.append(('joints', candidates.joints[:, order], order))
    remedies = [
        Remedy(name, evaluation.changed(candidates=candidates._replace(joints=joints)).ap, order)
        for name, joints, order in changes
    ]
    best = max(remedies, key=lambda remedy: remedy.ap)
    return best if best.ap > before + _BETTER else None


def joint_order(evaluation: Evaluation) -> np.ndarray | None:
    """The order of predicted joints that is most like the annotated ones, if it is not their own.

    People are paired by what their joints span. Every predicted joint is compared with every annotated one, and the
    assignment of the largest mean similarity is taken.

    Returns:
        (K,), the predicted joint that is each joint of the annotations, or None.
    """
    predicted, annotated = _pairs_by_span(evaluation.candidates, evaluation)
    if len(predicted) < _LEAST_PEOPLE:
        return None
    truth, joints = evaluation.truth, len(evaluation.sigmas)
    labelled = truth.labelled[annotated]
    alike = np.zeros((joints, joints))  # annotated, predicted
    for joint in range(joints):
        one = np.repeat(evaluation.candidates.joints[predicted, joint][:, None], joints, axis=1)
        similarity = joint_similarity(one, truth.joints[annotated], evaluation.areas[annotated], evaluation.sigmas)
        alike[:, joint] = np.where(labelled, similarity, 0).sum(axis=0) / np.maximum(labelled.sum(axis=0), 1)
    alike += np.eye(joints) * 1e-6  # joints that nobody has stay where they are
    order = linear_sum_assignment(alike, maximize=True)[1]
    gained = alike[np.arange(joints), order].mean() - alike.diagonal().mean()
    return order if gained > _BETTER else None


def _pairs_by_span(candidates: Candidates, evaluation: Evaluation) -> tuple[np.ndarray, np.ndarray]:
    """Predicted people with whoever of the annotated is most like them by what their joints span."""
    truth = evaluation.truth
    found = _spanned(candidates.joints.astype(float), np.ones(candidates.joints.shape[:2], bool))
    true = _spanned(truth.joints, truth.labelled)
    best, partner = np.full(len(true), _LEAST_IOU), np.full(len(true), -1)
    starts, ends = (np.searchsorted(candidates.group, truth.group, side=side) for side in ('left', 'right'))
    starts[evaluation.ignored] = ends[evaluation.ignored]
    for annotated, predicted in pairs_of_ranges(starts, ends, BOXES):
        iou = box_ious(true[annotated], found[predicted])
        order = np.argsort(iou, kind='stable')  # the last written is the best
        annotated, predicted, iou = annotated[order], predicted[order], iou[order]
        better = iou > best[annotated]
        best[annotated[better]], partner[annotated[better]] = iou[better], predicted[better]
    annotated = np.flatnonzero(partner >= 0)
    return partner[annotated], annotated


def _spanned(joints: np.ndarray, labelled: np.ndarray) -> np.ndarray:
    """Boxes (N, 4) around labelled joints (N, K, 2)."""
    low = np.where(labelled[..., None], joints, np.inf).min(axis=1)
    high = np.where(labelled[..., None], joints, -np.inf).max(axis=1)
    empty = ~labelled.any(axis=1)
    low[empty] = high[empty] = 0
    return np.concatenate([low, high - low], axis=1)
