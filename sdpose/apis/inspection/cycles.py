"""What each cycle predicts, and how far its tokens are from the next cycle's: does the later one still teach?

Shapes: C cycles, K query tokens, N classes, P patches, D width, H and W the heatmap size, rows and columns of the grid.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from sdpose.errors import ConfigError
from sdpose.models.outputs import ModelOutputs
from sdpose.structures import CycleTokens, TokenSet
from sdpose.visualization.figures.views import Gap, View, draw_views

from .attention import patch_grid
from .crop import Crop
from .predictions import heatmaps, keypoints, likeliest
from .result import Inspection


def compare_cycles(crop: Crop) -> Inspection:
    """The prediction of every training cycle, and the distance of each from the next.

    The distance of two tokens is the length of their difference over that of the later one: 0 if they are equal. Visual
    tokens are compared without the position that cycles add again.

    Args:
        crop: What the model sees.

    Returns:
        The arrays ``query_tokens`` (C, K, D), ``visual_tokens`` (C, rows, columns, D), ``query_distance`` (C - 1, K),
        ``visual_distance`` (C - 1, rows, columns), NaN where a patch was pruned, ``query_mse`` and ``visual_mse`` (C -
        1,), the mean squared differences, as terms on ``query`` and ``visual_content`` have them before their weight;
        of poses ``keypoints`` (C, K, 3), x, y in pixels of the crop and score, and ``moved`` (C - 1, K) in pixels, and
        ``heatmaps`` (C, K, H, W) where the head has them; of classifiers ``probabilities`` (C, N). The table has a row
        per joint.

    Raises:
        ConfigError: If the model has no tokens, or one cycle only.
    """
    loaded = crop.loaded
    if loaded.neck.num_cycles == 1:
        raise ConfigError(
            f'{loaded.name} has one cycle, so there is nothing to compare: it takes model.neck.num_cycles of 2 or more'
        )
    feats = crop.run_cycles()
    arrays = _distances(feats, patch_grid(loaded.neck))
    views, predicted = (_classes if loaded.is_classifier else _poses)(crop, feats)
    arrays.update(predicted)
    bars = {'query tokens: relative distance': arrays['query_distance']}
    if 'moved' in arrays:
        bars = {'joint moves by (pixels of the crop)': arrays['moved'], **bars}
    gaps = [
        Gap(
            f'from cycle {pair + 1} to cycle {pair + 2}',
            {name: values[pair] for name, values in bars.items()},
            {'visual tokens: relative distance': arrays['visual_distance'][pair]},
        )
        for pair in range(len(feats.cycles) - 1)
    ]
    skeleton = None if loaded.is_classifier else loaded.skeleton
    figure = draw_views(crop.pixels, views, gaps, loaded.joints, skeleton, 'What each cycle predicts', loaded.name)
    return Inspection(figure, _summary(crop, arrays), arrays, _table(crop, arrays))


def _distances(feats: CycleTokens, grid: tuple[int, int]) -> dict[str, np.ndarray]:
    """The tokens of each cycle, and how far they are from those of the next."""
    found: dict[str, np.ndarray] = {}
    tokens = dict(
        query=np.stack([each.query[0].numpy() for each in feats.cycles]),  # (C, K, D)
        visual=np.stack([_spread(each, grid) for each in feats.cycles]),  # (C, rows, columns, D)
    )
    for name, values in tokens.items():
        difference = values[1:] - values[:-1]
        found[f'{name}_tokens'] = values
        found[f'{name}_distance'] = np.linalg.norm(difference, axis=-1) / np.linalg.norm(values[1:], axis=-1)
        found[f'{name}_mse'] = np.array([np.nanmean(each**2) for each in difference])
    return found


def _spread(tokens: TokenSet, grid: tuple[int, int]) -> np.ndarray:
    """The visual tokens without position in their places, (rows, columns, D); NaN where a patch was pruned."""
    content = tokens.visual_content[0].numpy()  # (P, D)
    full = np.full((grid[0] * grid[1], content.shape[1]), np.nan, np.float32)
    full[slice(None) if tokens.kept is None else tokens.kept[0].numpy()] = content
    return full.reshape(*grid, -1)


def _poses(crop: Crop, feats: CycleTokens) -> tuple[list[View], dict[str, np.ndarray]]:
    """A view per cycle, and what the cycles predict."""
    cycles = range(len(feats.cycles))
    people = np.stack([keypoints(crop, feats._replace(deployed=cycle)) for cycle in cycles])  # (C, K, 3)
    moved = np.linalg.norm(np.diff(people[..., :2], axis=0), axis=-1)  # (C - 1, K)
    outputs = ModelOutputs(crop.loaded.model.head, (), feats)
    with torch.no_grad():
        maps = [each for cycle in cycles if (each := heatmaps(outputs.prediction(cycle))) is not None]
    shown = [{'heatmaps, their maximum': each.max(axis=0).clip(0)} for each in maps] or [{}] * len(cycles)
    views = [View(_name(feats, cycle), people[cycle], shown[cycle]) for cycle in cycles]
    return views, dict(keypoints=people, moved=moved, **(dict(heatmaps=np.stack(maps)) if maps else {}))


def _classes(crop: Crop, feats: CycleTokens) -> tuple[list[View], dict[str, np.ndarray]]:
    """A view per cycle, and the probabilities."""
    with torch.no_grad():
        logits: dict[int, Tensor] = crop.loaded.model.head.cycle_outputs(feats, range(len(feats.cycles)))
    scores = np.stack([each[0].softmax(dim=-1).numpy() for each in logits.values()])  # (C, N)
    views = [View(_name(feats, cycle), None, {}, likeliest(crop, each)) for cycle, each in enumerate(scores)]
    return views, dict(probabilities=scores)


def _name(feats: CycleTokens, cycle: int) -> str:
    return f'cycle {cycle + 1}' + (', deployed' if cycle == feats.deployed else '')


def _summary(crop: Crop, arrays: dict[str, np.ndarray]) -> str:
    said = []
    for pair in range(len(arrays['query_distance'])):
        parts = [f'query tokens {arrays["query_distance"][pair].mean():.1%} apart']
        if 'moved' in arrays:
            moved = arrays['moved'][pair]
            joint = crop.loaded.joints[int(moved.argmax())]
            parts.insert(
                0, f'joints move by {moved.mean():.2f} pixels of the crop, at most {moved.max():.2f} ({joint})'
            )
        said.append(f'cycle {pair + 1} to {pair + 2}: {", ".join(parts)}')
    return '; '.join(said)


def _table(crop: Crop, arrays: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """A row per joint: where each cycle has it, and the distances."""
    rows = []
    for number, joint in enumerate(crop.loaded.joints):
        row: dict[str, Any] = dict(joint=joint)
        for cycle, person in enumerate(arrays.get('keypoints', ()), start=1):
            row.update(zip((f'x{cycle}', f'y{cycle}', f'score{cycle}'), person[number].tolist()))
        for name in ('moved', 'query_distance'):
            for pair, values in enumerate(arrays.get(name, ()), start=1):
                row[f'{name}_{pair}_{pair + 1}'] = float(values[number])
        rows.append(row)
    return rows
