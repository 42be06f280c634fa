"""The AP that each kind of error costs: that of the same results without it."""

import numpy as np
from scipy.optimize import linear_sum_assignment

from sdpose.evaluation.coco.matching import Candidates, alike_pairs

from .evaluation import Evaluation
from .pairing import Pairs
from .taxonomy import INVERSION, JITTER, KINDS, MISS, SWAP, JointErrors, corrected_joints

LOCALISATION = (JITTER, INVERSION, SWAP, MISS)


def ap_without(evaluation: Evaluation, pairs: Pairs, unpaired: np.ndarray, errors: JointErrors) -> dict[str, float]:
    """The AP of results from which one kind of error is taken at a time.

    Args:
        evaluation: The evaluation.
        pairs: Its pairs.
        unpaired: (N,), predicted people with whom nobody is paired.
        errors: Kinds of joints.

    Returns:
        By ``jitter``, ``inversion``, ``swap``, ``miss``; ``localisation`` for these together; ``score`` for people
        ranked by their true OKS; ``background`` without unpaired predictions; ``missed`` without annotated people whom
        nobody is paired with.
    """
    kinds = {KINDS[kind]: (kind,) for kind in LOCALISATION} | {'localisation': LOCALISATION}
    found = {}
    for name, chosen in kinds.items():
        joints = corrected_joints(evaluation, pairs, errors, chosen)
        found[name] = evaluation.changed(candidates=evaluation.candidates._replace(joints=joints)).ap
    found['score'] = evaluation.changed(candidates=_ranked(evaluation.candidates, optimal_scores(evaluation))).ap
    found['background'] = evaluation.changed(candidates=_without(evaluation.candidates, unpaired)).ap
    met = np.zeros(len(evaluation.ignored), bool)
    met[pairs.annotated] = True
    found['missed'] = evaluation.of(met).ap
    return found


def optimal_scores(evaluation: Evaluation) -> np.ndarray:
    """Scores (N,) by which the people of an image rank best: the OKS in the assignment of the largest sum, else 0.

    People who count are assigned first, then the others to whoever is left.
    """
    candidates, truth, ignored = evaluation.candidates, evaluation.truth, evaluation.ignored
    predicted, annotated, oks = alike_pairs(candidates, truth, evaluation.areas, evaluation.sigmas, 0.0)
    scores = np.zeros(len(candidates.rank))
    bounds = np.flatnonzero(np.diff(candidates.group[predicted])) + 1
    for part in np.split(np.arange(len(predicted)), bounds):
        if len(part):
            _assign(predicted[part], annotated[part], oks[part], ignored[annotated[part]], scores)
    return scores


def _assign(
    predicted: np.ndarray, annotated: np.ndarray, oks: np.ndarray, ignored: np.ndarray, scores: np.ndarray
) -> None:
    """Write the scores of one image's people, of all of whose pairs the OKS is given."""
    rows, row = np.unique(predicted, return_inverse=True)
    columns, column = np.unique(annotated, return_inverse=True)
    table, late = np.zeros((len(rows), len(columns))), np.zeros(len(columns), bool)
    table[row, column], late[column] = oks, ignored
    free = np.ones(len(rows), bool)
    for which in (~late, late):
        left = np.flatnonzero(free)
        first, second = linear_sum_assignment(table[np.ix_(left, which)], maximize=True)
        scores[rows[left[first]]] = table[:, which][left[first], second]
        free[left[first]] = False


def _ranked(candidates: Candidates, scores: np.ndarray) -> Candidates:
    """The people with other scores, by group and falling score."""
    order = np.lexsort((-scores, candidates.group))
    people = Candidates(*[field[order] for field in candidates])
    return people._replace(scores=scores[order], rank=candidates.rank)


def _without(candidates: Candidates, dropped: np.ndarray) -> Candidates:
    """The people that are left, in their order; ranks keep gaps, which matching does not mind."""
    return Candidates(*[field[~dropped] for field in candidates])
