"""How well each joint is found."""

import numpy as np

from .evaluation import Evaluation
from .pairing import Pairs

PCK_THRESHOLDS = np.linspace(0.01, 0.2, 20)
"""Distances that count as found, in longer sides of a person's box."""


def joint_aps(evaluation: Evaluation) -> np.ndarray:
    """The AP (K,) of each joint, as if no other were labelled; -1 where nobody has it."""
    return np.array([evaluation.of_joint(joint).ap for joint in range(len(evaluation.sigmas))])


def joint_distances(evaluation: Evaluation, pairs: Pairs) -> np.ndarray:
    """Distances (P, K) of paired joints in pixels, NaN where a joint is not labelled."""
    away = evaluation.candidates.joints[pairs.predicted] - evaluation.truth.joints[pairs.annotated]
    distances = np.hypot(away[..., 0], away[..., 1]).astype(float)
    return np.where(evaluation.truth.labelled[pairs.annotated], distances, np.nan)


def joint_pck(evaluation: Evaluation, pairs: Pairs, distances: np.ndarray) -> np.ndarray:
    """Shares (len(PCK_THRESHOLDS), K) of labelled joints that lie as near; those of unpaired people count as not found.

    NaN where nobody has a joint.
    """
    side = evaluation.truth.boxes[:, 2:].max(axis=1)[pairs.annotated, None]
    with np.errstate(invalid='ignore'):
        near = np.stack([(distances <= share * side).sum(axis=0) for share in PCK_THRESHOLDS])
        return near / evaluation.truth.labelled[~evaluation.ignored].sum(axis=0)
