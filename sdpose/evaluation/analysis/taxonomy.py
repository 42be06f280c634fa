"""Kinds of wrong joints, after Ruggero Ronchi and Perona, "Benchmarking and Error Diagnosis in Multi-Instance Pose
Estimation" (ICCV 2017), as their coco-analyze tells them apart.

A predicted joint belongs to the place that it is most like, among the joint's own place, its mirror image on the same
person, and both on everybody else of the image.
"""

from typing import NamedTuple

import numpy as np

from sdpose.evaluation.coco.pairs import PEOPLE, pairs_of_ranges

from .evaluation import Evaluation
from .pairing import Pairs, joint_similarity

KINDS = ('good', 'jitter', 'inversion', 'swap', 'miss')
"""Own place, well met; own place, roughly; its mirror image's; another person's; none of these."""
GOOD, JITTER, INVERSION, SWAP, MISS = range(5)
UNLABELLED = -1
NEAR, WELL = 0.5, 0.85
"""The similarity from which on a joint is at a place, and from which on it is good."""


class JointErrors(NamedTuple):
    """What is wrong with the joints of pairs.

    Attributes:
        kind: (P, K), places in ``KINDS``, ``UNLABELLED`` for joints without a true place.
        highest: (P, K), the similarity to the place that the joint is most like.
    """

    kind: np.ndarray
    highest: np.ndarray

    def shares(self) -> np.ndarray:
        """The share (5, K) of each kind among the labelled joints of its name; NaN where none is labelled."""
        counts = np.stack([(self.kind == kind).sum(axis=0) for kind in range(len(KINDS))])
        with np.errstate(invalid='ignore'):
            return counts / counts.sum(axis=0)


def joint_errors(evaluation: Evaluation, pairs: Pairs, mirrored: np.ndarray) -> JointErrors:
    """Tell the joints of paired people apart.

    Args:
        evaluation: The evaluation.
        pairs: Its pairs.
        mirrored: (K,), the index of each joint's mirror image, its own where it has none.
    """
    candidates, truth = evaluation.candidates, evaluation.truth
    joints = candidates.joints[pairs.predicted]
    own = np.where(truth.labelled[pairs.annotated], pairs.similarity, -1.0)
    inverted = _like(evaluation, joints, pairs.annotated, mirrored)
    other = np.full(own.shape, -1.0)
    group = truth.group[pairs.annotated]
    starts, ends = (np.searchsorted(truth.group, group, side=side) for side in ('left', 'right'))
    for pair, person in pairs_of_ranges(starts, ends, PEOPLE):
        keep = person != pairs.annotated[pair]
        pair, person = pair[keep], person[keep]
        for order in (np.arange(len(mirrored)), mirrored):
            np.maximum.at(other, pair, _like(evaluation, joints[pair], person, order))
    highest = np.maximum(np.maximum(own, inverted), other)
    kind = np.where(own >= highest, np.where(own >= WELL, GOOD, JITTER), np.where(other >= inverted, SWAP, INVERSION))
    kind = np.where(highest < NEAR, MISS, kind)
    return JointErrors(np.where(own < 0, UNLABELLED, kind), highest)


def _like(evaluation: Evaluation, joints: np.ndarray, people: np.ndarray, order: np.ndarray) -> np.ndarray:
    """How like joints (P, K, 2) are to those of annotated people, taken in an order; -1 where one is not labelled."""
    truth = evaluation.truth
    similarity = joint_similarity(joints, truth.joints[people][:, order], evaluation.areas[people], evaluation.sigmas)
    return np.where(truth.labelled[people][:, order], similarity, -1.0)


def corrected_joints(evaluation: Evaluation, pairs: Pairs, errors: JointErrors, kinds: tuple[int, ...]) -> np.ndarray:
    """The joints (N, K, 2) of all predicted people, those of some kinds of error put right as coco-analyze does.

    A jittered joint gets the similarity from which on joints are good, a missed one that from which on they are near,
    an inverted or swapped one what it had at the wrong place. (coco-analyze's own distances are half of these, as its
    code leaves out the factor 2 of COCO's sigmas.)
    """
    truth, joints = evaluation.truth, evaluation.candidates.joints.astype(float)
    wanted = np.where(errors.kind == JITTER, WELL, np.where(errors.kind == MISS, NEAR, errors.highest))
    scale = 2 * (2 * evaluation.sigmas) ** 2 * evaluation.areas[pairs.annotated, None]
    away = np.sqrt(-np.log(np.clip(wanted, np.spacing(1), 1)) * scale)
    right = truth.joints[pairs.annotated] + np.stack([away, np.zeros_like(away)], axis=-1)
    chosen = np.isin(errors.kind, kinds)
    joints[pairs.predicted] = np.where(chosen[..., None], right, joints[pairs.predicted])
    return joints
