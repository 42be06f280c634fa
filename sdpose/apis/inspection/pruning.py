"""Which patches survive pruning, after every layer that prunes (PPT, section 3.2).

Shapes: C cycles, S stages, rows and columns of the full grid of patches.
"""

import numpy as np
from torch import Tensor

from sdpose.errors import ConfigError
from sdpose.structures import CycleTokens
from sdpose.visualization.figures.patches import FUSED, KEPT, PRUNED, draw_patches

from .attention import patch_grid, trace_of
from .crop import Crop
from .result import Inspection


def pruned_patches(crop: Crop) -> Inspection:
    """The patches that are left at the beginning of each cycle and behind each of its layers that prune.

    Args:
        crop: What the model sees.

    Returns:
        For each cycle an array ``cycle1``, ... (S, rows, columns): 0 for a pruned patch, 1 for one that is there, 2 for
        the place of a token that stands for those that were dropped (EViT); and ``stages1``, ..., the names.

    Raises:
        ConfigError: If the model has no tokens, or does not prune.
    """
    loaded = crop.loaded
    if loaded.neck.pruner is None or loaded.neck.pruner.ratio == 1:
        raise ConfigError(f'{loaded.name} prunes no patches: set model.neck.pruner, or name a model that has one')
    feats = crop.run_cycles()
    cycles: dict[str, dict[str, np.ndarray]] = {}
    fused: frozenset[int] = frozenset()
    for cycle in range(len(feats.cycles)):
        cycles[f'cycle {cycle + 1}'], fused = _stages(crop, feats, cycle, patch_grid(loaded.neck), fused)
    counts = [int(np.count_nonzero(state)) for stages in cycles.values() for state in stages.values()]
    arrays = {}
    for number, stages in enumerate(cycles.values(), start=1):
        arrays[f'cycle{number}'] = np.stack(list(stages.values()))
        arrays[f'stages{number}'] = np.array(list(stages))
    figure = draw_patches(crop.pixels, cycles, 'Patches that survive pruning', loaded.name)
    return Inspection(figure, f'patches left: {", ".join(map(str, counts))}', arrays)


def _stages(
    crop: Crop, feats: CycleTokens, cycle: int, grid: tuple[int, int], fused: frozenset[int]
) -> tuple[dict[str, np.ndarray], frozenset[int]]:
    """The patches of one cycle, (rows, columns), by the name of the stage.

    Args:
        crop: What the model sees.
        feats: The tokens of all cycles, traced.
        cycle: Which one, from 0.
        grid: Rows and columns.
        fused: Places of tokens that stand for others when the cycle begins.

    Returns:
        The stages, and those places when it ends.
    """
    pruner = crop.loaded.neck.pruner
    assert pruner is not None  # it was asked for
    trace, last = trace_of(feats, cycle), feats.cycles[cycle].kept
    stages = {'at the start': _state(trace[0].kept, grid, fused)}
    behind = [*(layer.kept for layer in trace[1:]), last]
    for index, (before, after) in enumerate(zip(trace, behind)):
        if pruner.applies(index, cycle + 1):
            if (
                after is not None
                and pruner.num_fused
                and (before.kept is None or after.shape[1] < before.kept.shape[1])
            ):
                left = after[0].tolist()
                # A token that stood for others before may be among those that stay, as one patch is.
                fused = fused & {*left} | {*left[-pruner.num_fused :]}
            stages[f'after layer {index}'] = _state(after, grid, fused)
    return stages, fused


def _state(kept: Tensor | None, grid: tuple[int, int], fused: frozenset[int]) -> np.ndarray:
    """A grid of patches whose kept ones are known; those of ``fused`` stand for others."""
    if kept is None:
        return np.full(grid, KEPT, np.uint8)
    state = np.full(grid[0] * grid[1], PRUNED, np.uint8)
    state[kept[0].numpy()] = KEPT
    state[sorted(fused)] = FUSED
    return state.reshape(grid)
