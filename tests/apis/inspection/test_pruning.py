"""The patches that are shown as kept are those that the joints attend to most."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from sdpose.apis.inspection.attention import patch_attention
from sdpose.apis.inspection.pruning import _stages, pruned_patches
from sdpose.errors import ConfigError
from sdpose.structures import CycleTokens, LayerTrace, TokenSet
from sdpose.visualization.figures.patches import FUSED, KEPT


def test_what_is_kept_is_what_is_attended_to_most(crop_of: Callable) -> None:
    crop = crop_of('ppt')  # 48 patches, then 34 and 24, behind layers 0 and 1
    found = pruned_patches(crop)
    assert found.arrays['stages1'].tolist() == ['at the start', 'after layer 0', 'after layer 1']
    states = found.arrays['cycle1']
    assert [int(state.sum()) for state in states] == [48, 34, 24] and found.summary == 'patches left: 48, 34, 24'
    attention = patch_attention(crop).arrays['attention'][0].mean(axis=1).sum(axis=1)  # (L, rows, columns)
    for layer, before, after in zip(attention, states, states[1:]):
        kept, dropped = layer[after == 1], layer[(before == 1) & (after == 0)]
        assert kept.min() >= dropped.max() and np.isnan(layer[before == 0]).all()
    titles = [axes.get_title() for axes in found.figure.axes if axes.images]
    assert titles[1] == 'after layer 0\n34 of 48, 71%'


def test_a_fused_token_is_marked(crop_of: Callable) -> None:
    """The one of the first stage is among those that the second leaves, beside its own."""
    states = pruned_patches(crop_of('evit')).arrays['cycle1']
    assert [np.bincount(state.ravel(), minlength=3).tolist() for state in states] == [
        [0, 48, 0],
        [14, 33, 1],
        [24, 22, 2],
    ]
    assert (states[2][states[1] == 2] == 2).all()


@pytest.mark.parametrize(('last', 'fused'), [([2, 0], [0, 2]), ([4, 0], [0]), ([0, 2], [2])])
def test_a_token_stands_for_others_as_long_as_it_is_there(last: list[int], fused: list[int]) -> None:
    """Six patches, of which 4, 0 and, for the others, 2 are left; then two: with 2, without it, with 2 once more."""
    kept = [None, torch.tensor([[4, 0, 2]]), torch.tensor([last])]
    query = torch.zeros(1, 1, 4)
    trace = tuple(LayerTrace(query, query, places) for places in kept[:2])
    later = (LayerTrace(query, query, kept[2]),)
    tokens = TokenSet(query, 1, kept=kept[2])
    feats = CycleTokens((tokens._replace(trace=trace), tokens._replace(trace=later)), 0)
    pruner = SimpleNamespace(applies=lambda layer, cycle: cycle == 1, num_fused=1)
    crop = SimpleNamespace(loaded=SimpleNamespace(neck=SimpleNamespace(pruner=pruner)))
    stages, places = _stages(crop, feats, 0, (2, 3), frozenset())
    assert [np.flatnonzero(state == FUSED).tolist() for state in stages.values()] == [[], [2], fused]
    assert stages['after layer 1'].ravel()[sorted({*last} - {*fused})].tolist() == [KEPT] * (2 - len(fused))
    stages, _ = _stages(crop, feats, 1, (2, 3), places)  # the next cycle begins with what the first has left
    assert np.flatnonzero(stages['at the start'] == FUSED).tolist() == fused


def test_later_cycles_run_on_what_is_left(crop_of: Callable) -> None:
    found = pruned_patches(crop_of('sdpose-ppt'))
    first, second = found.arrays['cycle1'], found.arrays['cycle2']
    assert found.arrays['stages2'].tolist() == ['at the start']
    assert (second[0] == first[-1]).all() and first[-1].sum() < first[0].sum()


def test_bad_input_is_named(crop_of: Callable) -> None:
    with pytest.raises(ConfigError, match=r'^sdpose-tiny.* prunes no patches: set model.neck.pruner'):
        pruned_patches(crop_of('sdpose'))
