"""Which predicted person is about which annotated one, and how near each joint is."""

from typing import NamedTuple

import numpy as np

from sdpose.evaluation.coco.matching import partners

from .evaluation import Evaluation

LEAST_OKS = 0.1
"""The OKS from which on a prediction is about a person, however badly placed: coco-analyze's."""


class Pairs(NamedTuple):
    """Predicted people with their annotated ones, who count.

    Attributes:
        predicted: (P,), places of predicted people, rising.
        annotated: (P,), places of annotated people.
        similarity: (P, K), of each joint, NaN where it is not labelled.
        oks: (P,).
    """

    predicted: np.ndarray
    annotated: np.ndarray
    similarity: np.ndarray
    oks: np.ndarray

    def of_people(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """For each of ``count`` annotated people its predicted one, -1 for nobody, and the OKS, 0 for nobody."""
        predicted, oks = np.full(count, -1), np.zeros(count)
        predicted[self.annotated], oks[self.annotated] = self.predicted, self.oks
        return predicted, oks


def pair_people(evaluation: Evaluation) -> tuple[Pairs, np.ndarray]:
    """Match at an OKS of ``LEAST_OKS``, as the evaluation does at its thresholds.

    Returns:
        The pairs, and a mask (N,) of the predicted people with whom nobody is paired, not even one who does not count.
    """
    candidates, truth, ignored = evaluation.candidates, evaluation.truth, evaluation.ignored
    found = partners(candidates, truth, evaluation.areas, ignored[:, None], evaluation.sigmas, np.array([LEAST_OKS]))[
        :, 0, 0
    ]
    predicted = np.flatnonzero(found >= 0)
    predicted = predicted[~ignored[found[predicted]]]
    annotated = found[predicted]
    labelled = truth.labelled[annotated]
    similarity = joint_similarity(
        candidates.joints[predicted], truth.joints[annotated], evaluation.areas[annotated], evaluation.sigmas
    )
    similarity = np.where(labelled, similarity, np.nan)
    oks = np.where(labelled, similarity, 0).sum(axis=1) / np.maximum(labelled.sum(axis=1), 1)
    return Pairs(predicted, annotated, similarity, oks), found < 0


def joint_similarity(joints: np.ndarray, true: np.ndarray, areas: np.ndarray, sigmas: np.ndarray) -> np.ndarray:
    """The terms (P, K) of OKS: how like joints (P, K, 2) are to the true ones of people with areas (P,)."""
    away = ((joints - true) ** 2).sum(axis=-1)
    return np.exp(-away / (2 * sigmas) ** 2 / (areas[:, None] + np.spacing(1)) / 2)
