"""Predictions of one pass without the mirror image: joints in pixels of the crop, heatmaps, classes.

Shapes: B batch, K joints, N classes, H and W the heatmap size.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from .crop import Crop

_CLASSES = 5


def keypoints(crop: Crop, feats: Any, model: Any = None) -> np.ndarray:
    """The joints that a head reads from tokens or maps, (K, 3): x, y in pixels of the crop, and the score.

    Args:
        crop: What the model has seen.
        feats: What its head takes: the tokens of its cycles, of which the deployed one is read, or maps.
        model: Whose head reads; the crop's own by default.
    """
    head = (crop.loaded.model if model is None else model).head
    with torch.no_grad():
        predicted = head.predict(feats, [crop.sample], test_cfg={})[0]
    return np.concatenate([predicted.keypoints[0], predicted.keypoint_scores[0][:, None]], axis=1)


def heatmaps(prediction: Any) -> np.ndarray | None:
    """The heatmaps (K, H, W) of a prediction for one image; None for one of another kind."""
    return prediction[0].numpy() if isinstance(prediction, Tensor) and prediction.ndim == 4 else None


def likeliest(crop: Crop, probabilities: np.ndarray) -> dict[str, float]:
    """The likeliest classes of (N,) probabilities by name, or by number where the checkpoint has no names."""
    names = crop.loaded.classes or tuple(f'class {number}' for number in range(len(probabilities)))
    return {names[number]: float(probabilities[number]) for number in probabilities.argsort()[::-1][:_CLASSES]}
