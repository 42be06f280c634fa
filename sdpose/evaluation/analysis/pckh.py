"""MPII's measure, PCKh: the share of joints within a part of the size of a person's head.

Shapes: N people, K joints.
"""

import numpy as np

PCKH_THRESHOLDS = np.linspace(0.0, 0.5, 51)
"""MPII's distances, in sizes of heads."""
_HIDDEN = (6, 7)  # pelvis and thorax are no part of MPII's mean
_NEAR = 0.5


def head_distances(joints: np.ndarray, true: np.ndarray, labelled: np.ndarray, heads: np.ndarray) -> np.ndarray:
    """Distances (N, K) in sizes of heads, NaN where a joint is not labelled or a head has no size.

    Args:
        joints: (N, K, 2), counted from 0, as predictions are.
        true: (N, K, 2), counted from 1, as MPII's file has them.
        labelled: (N, K).
        heads: (N,), in pixels.
    """
    away = np.linalg.norm(joints + 1.0 - true, axis=-1)
    known = labelled & (heads > 0)[:, None]
    return np.divide(away, heads[:, None], out=np.full(away.shape, np.nan), where=known)


def pckh(distances: np.ndarray, threshold: float, weights: np.ndarray | None = None) -> np.ndarray:
    """The share (K,) of each joint nearer than a threshold; NaN where nobody has it.

    Args:
        distances: (N, K), in sizes of heads.
        threshold: What counts as found.
        weights: (N,), how often each person counts; None for once.
    """
    weights = np.ones(len(distances)) if weights is None else weights
    with np.errstate(invalid='ignore'):
        return weights @ (distances < threshold) / (weights @ ~np.isnan(distances))


def mean_pckh(distances: np.ndarray, threshold: float, weights: np.ndarray | None = None) -> float:
    """MPII's mean over all labelled joints but pelvis and thorax; NaN where there are none."""
    weights = np.ones(len(distances)) if weights is None else weights
    counted = np.delete(distances, _HIDDEN, axis=1)
    with np.errstate(invalid='ignore'):
        return float((weights @ (counted < threshold)).sum() / (weights @ ~np.isnan(counted)).sum())


def inverted_joints(
    joints: np.ndarray, true: np.ndarray, labelled: np.ndarray, heads: np.ndarray, mirrored: np.ndarray
) -> np.ndarray:
    """Whether a joint (N, K) is not found at 0.5, but within it of its mirror image's place; as :func:`head_distances`.

    Args:
        joints: (N, K, 2), counted from 0.
        true: (N, K, 2), counted from 1.
        labelled: (N, K).
        heads: (N,), in pixels.
        mirrored: (K,), the index of each joint's mirror image, its own where it has none.
    """
    own = head_distances(joints, true, labelled, heads)
    other = head_distances(joints, true[:, mirrored], labelled[:, mirrored], heads)
    return (own >= _NEAR) & (other < _NEAR)
