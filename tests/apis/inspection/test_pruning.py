"""The patches that are shown as kept are those that the joints attend to most."""

from collections.abc import Callable

import numpy as np
import pytest

from sdpose.apis.inspection.attention import patch_attention
from sdpose.apis.inspection.pruning import pruned_patches
from sdpose.errors import ConfigError


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
    states = pruned_patches(crop_of('evit')).arrays['cycle1']
    assert [np.bincount(state.ravel(), minlength=3).tolist() for state in states] == [
        [0, 48, 0],
        [14, 33, 1],
        [24, 23, 1],
    ]


def test_later_cycles_run_on_what_is_left(crop_of: Callable) -> None:
    found = pruned_patches(crop_of('sdpose-ppt'))
    first, second = found.arrays['cycle1'], found.arrays['cycle2']
    assert found.arrays['stages2'].tolist() == ['at the start']
    assert (second[0] == first[-1]).all() and first[-1].sum() < first[0].sum()


def test_bad_input_is_named(crop_of: Callable) -> None:
    with pytest.raises(ConfigError, match=r'^sdpose-tiny.* prunes no patches: set model.neck.pruner'):
        pruned_patches(crop_of('sdpose'))
