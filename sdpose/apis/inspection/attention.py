"""What the query tokens attend to, in every layer and cycle (SDPose, Fig. 4 and 5).

The weights are those that the neck itself returns with its tokens: the rows of the query tokens are computed openly in
the same pass, and read from there.

Shapes: C cycles, L layers, h heads, K query tokens, P patches that a layer sees, rows and columns of the full grid.
"""

import numpy as np

from sdpose.errors import UserError
from sdpose.models.transformers import MultiCycledTransformer
from sdpose.structures import CycleTokens, LayerTrace
from sdpose.visualization.figures.attention import Panel, draw_maps, draw_matrices

from .crop import Crop
from .predictions import keypoints
from .result import Inspection

_MANY = 40  # joints


def patch_attention(
    crop: Crop, joint: str | None = None, layer: int | None = None, head: int | None = None
) -> Inspection:
    """The attention of query tokens over the patches of a crop.

    One joint in all layers of all cycles, or all joints in one layer.

    Args:
        crop: What the model sees.
        joint: Name of the joint; the first by default, if no layer is named.
        layer: The layer, counted from 0 as in ``pruner.layers``, in place of a joint.
        head: One attention head, counted from 0; the mean over heads by default.

    Returns:
        The arrays ``attention`` (C, L, h, K, rows, columns), NaN where a patch was pruned before, and ``joints`` (K,).

    Raises:
        UserError: If there is no such joint, layer or head, or both a joint and a layer are given.
        ConfigError: If the model has no tokens.
    """
    loaded = crop.loaded
    if joint is not None and layer is not None:
        raise UserError('a joint is shown in all layers, or a layer with all joints: name one of the two')
    if layer is not None:
        loaded.require_layer(layer)
    number = 0 if joint is None else loaded.joint(joint)
    feats = crop.run_cycles()
    attention = over_patches(feats, loaded.neck)  # (C, L, h, K, rows, columns)
    shown = _of_heads(crop, attention, head)  # (C, L, K, rows, columns)
    places = _places(crop, feats)  # (C, K, 2) or None
    if layer is None:
        what, chosen = loaded.joints[number], [(index, number) for index in range(shown.shape[1])]
    else:
        what, chosen = f'layer {layer}', [(layer, token) for token in range(shown.shape[2])]
    blocks = {
        f'cycle {cycle + 1}': [
            Panel(
                f'layer {index}' if layer is None else loaded.joints[token],
                shown[cycle, index, token],
                None if places is None else tuple(places[cycle, token]),
            )
            for index, token in chosen
        ]
        for cycle in range(len(shown))
    }
    title = f'Attention over the patches: {what}, {_heads(head)}'
    summary = f'{what}, {_heads(head)}: {shown.shape[0]} cycle(s), {shown.shape[1]} layer(s)'
    figure = draw_maps(
        crop.pixels, blocks, title, loaded.name, columns=12 if layer is None or len(loaded.joints) > _MANY else 9
    )
    return Inspection(figure, summary, dict(attention=attention, joints=np.array(loaded.joints)))


def joint_attention(crop: Crop, head: int | None = None) -> Inspection:
    """The attention between the query tokens, in all layers of all cycles.

    Args:
        crop: What the model sees.
        head: One attention head, counted from 0; the mean over heads by default.

    Returns:
        The arrays ``attention`` (C, L, h, K, K), in which the row attends to the column and the rest of a row goes to
        patches, and ``joints`` (K,).

    Raises:
        UserError: If there is no such head, or one query token only.
        ConfigError: If the model has no tokens.
    """
    loaded = crop.loaded
    if loaded.neck.tokenizer.num_queries == 1:
        raise UserError(f'{loaded.name} has one query token: there is no attention between several')
    feats = crop.run_cycles()
    per_cycle = [[_queries(layer) for layer in trace_of(feats, cycle)] for cycle in range(len(feats.cycles))]
    count = len(loaded.joints)
    attention = np.stack([[weights[..., :count] for weights in layers] for layers in per_cycle])  # (C, L, h, K, K)
    shown = _of_heads(crop, attention, head)  # (C, L, K, K)
    blocks = {
        f'cycle {cycle + 1}': [Panel(f'layer {index}', values) for index, values in enumerate(layers)]
        for cycle, layers in enumerate(shown)
    }
    title = f'Attention between joints, {_heads(head)}: the row attends to the column'
    shares = shown.sum(axis=-1).mean(axis=-1)  # (C, L)
    summary = f'{_heads(head)}: joints give {shares.min():.0%} to {shares.max():.0%} of their attention to joints'
    figure = draw_matrices(blocks, loaded.joints, title, loaded.name)
    return Inspection(figure, summary, dict(attention=attention, joints=np.array(loaded.joints)))


def over_patches(feats: CycleTokens, neck: MultiCycledTransformer) -> np.ndarray:
    """The query tokens' attention to every patch of the full grid in a traced pass, (C, L, h, K, rows, columns)."""
    grid = patch_grid(neck)
    cycles = [[_spread(layer, grid) for layer in trace_of(feats, cycle)] for cycle in range(len(feats.cycles))]
    return np.stack([np.stack(layers) for layers in cycles])


def _spread(layer: LayerTrace, grid: tuple[int, int]) -> np.ndarray:
    """The attention of one layer, (h, K, rows, columns), NaN where a patch was pruned before."""
    weights = _queries(layer)[..., layer.query.shape[1] :]  # (h, K, P)
    full = np.full((*weights.shape[:2], grid[0] * grid[1]), np.nan, np.float32)
    full[..., slice(None) if layer.kept is None else layer.kept[0].numpy()] = weights
    return full.reshape(*weights.shape[:2], *grid)


def _queries(layer: LayerTrace) -> np.ndarray:
    """The softmax weights of the query tokens of the one image, (h, K, K + P)."""
    return layer.query_attention[0].numpy()


def trace_of(feats: CycleTokens, cycle: int) -> tuple[LayerTrace, ...]:
    """What happened in the layers of a 0-based cycle of a traced pass."""
    trace = feats.cycles[cycle].trace
    assert trace is not None  # the pass was traced
    return trace


def patch_grid(neck: MultiCycledTransformer) -> tuple[int, int]:
    """Rows and columns of a model's patches."""
    columns, rows = neck.tokenizer.grid_size
    return rows, columns


def _of_heads(crop: Crop, attention: np.ndarray, head: int | None) -> np.ndarray:
    """Attention (C, L, h, ...) of one head, or its mean over heads: (C, L, ...)."""
    if head is None:
        return attention.mean(axis=2)
    crop.loaded.require_head(head)
    return attention[:, :, head]


def _heads(head: int | None) -> str:
    return 'mean of the heads' if head is None else f'head {head}'


def _places(crop: Crop, feats: CycleTokens) -> np.ndarray | None:
    """Where each cycle's head sees the joints, (C, K, 2); None for a classifier."""
    if crop.loaded.is_classifier:
        return None
    return np.stack([keypoints(crop, feats._replace(deployed=cycle))[:, :2] for cycle in range(len(feats.cycles))])
