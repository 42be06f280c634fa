"""How the weights of each layer are distributed, and how many do next to nothing (SDPose, Fig. 2)."""

import math
import re
from typing import Any

import numpy as np

from sdpose.errors import UserError
from sdpose.io.checkpoint import TRAINING_ONLY
from sdpose.visualization.figures.parameters import Histogram, draw_histograms

from .crop import LoadedModel
from .result import Inspection

NEAR_ZERO = 0.01
_BINS = 121
_SHOWN = 0.998  # of the weights lie within the bins; the others count in the outermost
# A transformer's layer, else a part of backbone, neck or head.
_LAYER = re.compile(r'neck\.layers\.\d+|[^.]+\.[^.]+')


def parameter_histogram(
    loaded: LoadedModel, other: LoadedModel | None = None, layer: str | None = None, near_zero: float = NEAR_ZERO
) -> Inspection:
    """Histograms of the weights of every layer, of one or of two checkpoints over each other.

    Weights are those of linears, convolutions and embeddings; norms and biases, which start at 1 and 0, are left out,
    and so is what a deployed model lacks.

    Args:
        loaded: The model.
        other: Another one, of the same or of another config.
        layer: One layer's name, such as ``neck.layers.3``; all by default.
        near_zero: A weight of this size or less counts as near zero.

    Returns:
        The arrays ``edges`` of the bins (layers, bins + 1), ``layers``, ``checkpoints``, ``shares`` (checkpoints,
        layers, bins), NaN where a checkpoint lacks a layer, and the table of each layer's count, spread and share near
        zero.

    Raises:
        UserError: If there is no such layer, with those that there are, or ``near_zero`` is not positive.
    """
    if not 0 < near_zero < math.inf:
        raise UserError(f'near zero is a positive number, got {near_zero}')
    models = [loaded] if other is None else [loaded, other]
    weights = [layer_weights(each) for each in models]
    names = list(dict.fromkeys(name for each in weights for name in each))
    if layer is not None:
        if layer not in names:
            raise UserError(f'{layer!r} is no layer of {loaded.name}: choose one of {", ".join(names)}')
        names = [layer]
    histograms = {name: _histograms([each.get(name) for each in weights], near_zero) for name in names}
    labels = _labels(models)
    arrays = dict(
        edges=np.stack([each[0].edges for each in histograms.values()]),
        layers=np.array(names),
        checkpoints=np.array(labels),
        shares=np.stack([[histogram.shares for histogram in each] for each in histograms.values()], axis=1),
    )
    near = np.array([[histogram.near_zero for histogram in each] for each in histograms.values()])
    said = ', '.join(f'{label} {share:.1%}' for label, share in zip(labels, np.nanmean(near, axis=0)))
    title = f'Weights by layer; grey: near zero, ±{near_zero:g}'
    of = ' and '.join(dict.fromkeys(each.name for each in models))
    figure = draw_histograms(histograms, labels, near_zero, title, of)
    summary = f'share of weights near zero, mean of {len(names)} layer(s): {said}'
    return Inspection(figure, summary, arrays, _table(dict(zip(labels, weights)), names, near_zero))


def layer_weights(loaded: LoadedModel) -> dict[str, np.ndarray]:
    """The weights of each layer in one row, by the layer's name."""
    found: dict[str, list[np.ndarray]] = {}
    for key, value in loaded.model.named_parameters():
        part = _LAYER.match(key)
        if value.ndim >= 2 and part is not None and not key.startswith(TRAINING_ONLY):
            found.setdefault(part[0], []).append(value.detach().numpy().ravel())
    return {name: np.concatenate(parts) for name, parts in found.items()}


def _histograms(weights: list[np.ndarray | None], near_zero: float) -> list[Histogram]:
    """One layer of each checkpoint, in the same bins around zero; NaN for a checkpoint that lacks it."""
    reach = max(float(np.quantile(np.abs(each), _SHOWN)) for each in weights if each is not None)
    edges = np.linspace(-reach, reach, _BINS + 1)
    lacking = Histogram(edges, np.full(_BINS, np.nan), math.nan)
    return [lacking if each is None else _histogram(each, edges, near_zero) for each in weights]


def _histogram(weights: np.ndarray, edges: np.ndarray, near_zero: float) -> Histogram:
    counts, _ = np.histogram(weights.clip(edges[0], edges[-1]), edges)
    return Histogram(edges, counts / len(weights), _near_zero(weights, near_zero))


def _near_zero(weights: np.ndarray, limit: float) -> float:
    """The share of weights within the limit."""
    return float((np.abs(weights) <= limit).mean())


def _table(weights: dict[str, dict[str, np.ndarray]], names: list[str], near_zero: float) -> list[dict[str, Any]]:
    """A row for each layer of each checkpoint."""
    return [
        dict(
            layer=name,
            checkpoint=label,
            weights=len(layers[name]),
            standard_deviation=float(layers[name].std()),
            near_zero=_near_zero(layers[name], near_zero),
        )
        for name in names
        for label, layers in weights.items()
        if name in layers
    ]


def _labels(models: list[LoadedModel]) -> list[str]:
    """The names of the checkpoints, with their folders where they have one name."""
    stems = [model.checkpoint.stem for model in models]
    if len(set(stems)) == len(stems):
        return stems
    return [str(model.checkpoint) for model in models]
