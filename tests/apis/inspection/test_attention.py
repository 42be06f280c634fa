"""The maps that are drawn are the weights of the pass itself: times the values they are what the fused kernel reads."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from sdpose.apis.inspection.attention import joint_attention, patch_attention
from sdpose.errors import ConfigError, UserError
from sdpose.models.outputs import extract_features
from sdpose.models.transformers import SelfAttention


@pytest.mark.parametrize('name', ['sdpose', 'ppt', 'evit', 'sdpose-ppt', 'reg', 'mpii', 'deit', 'hrnet'])
def test_maps_times_values_are_what_the_fused_kernel_reads(
    name: str, crop_of: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    crop = crop_of(name)
    count = crop.loaded.neck.tokenizer.num_queries
    seen = []
    kernel = SelfAttention.compute

    def recording(self, q, k, v, num_rows):
        fused, none = kernel(self, q, k, v, 0)
        assert none is None  # no weights were formed
        seen.append((v[0].numpy(), fused[0, :, :count].numpy()))
        return kernel(self, q, k, v, num_rows)

    monkeypatch.setattr(SelfAttention, 'compute', recording)
    patches = patch_attention(crop).arrays['attention']  # (C, L, h, K, rows, columns)
    trace = [layer for tokens in crop.run_cycles().cycles for layer in tokens.trace]
    seen = seen[: len(trace)]
    cycles, depth, heads = patches.shape[:3]
    assert cycles == crop.loaded.neck.num_cycles and depth == len(crop.loaded.neck.layers)
    assert patches.shape[-2:] == crop.loaded.neck.tokenizer.grid_size[::-1] and len(trace) == cycles * depth
    if count > 1:
        joints = joint_attention(crop).arrays['attention']  # (C, L, h, K, K)
    else:
        joints = np.stack([layer.attention[0, ..., :1].numpy() for layer in trace]).reshape(cycles, depth, heads, 1, 1)
    for number, ((values, fused), layer) in enumerate(zip(seen, trace)):
        to_patches = patches[number // depth, number % depth].reshape(heads, count, -1)  # (h, K, full P)
        to_joints = joints[number // depth, number % depth]  # (h, K, K)
        full = np.zeros((heads, to_patches.shape[-1], values.shape[-1]), np.float32)
        kept = np.arange(full.shape[1]) if layer.kept is None else layer.kept[0].numpy()
        full[:, kept] = values[:, count:]
        assert np.isnan(to_patches).sum() == heads * count * (full.shape[1] - len(kept))
        read = to_joints @ values[:, :count] + np.nan_to_num(to_patches) @ full
        np.testing.assert_allclose(read, fused, atol=2e-6 * np.abs(fused).max() + 1e-6)
        np.testing.assert_allclose(to_joints.sum(-1) + np.nansum(to_patches, -1), 1, atol=1e-5)


@pytest.mark.parametrize('name', ['sdpose', 'sdpose-ppt', 'deit'])
def test_looking_changes_nothing(name: str, crop_of: Callable) -> None:
    crop = crop_of(name)
    traced = crop.run_cycles()
    with torch.no_grad():
        plain = extract_features(crop.loaded.model, crop.inputs)[1]
    assert len(plain.cycles) == crop.loaded.neck.test_cycles < len(traced.cycles)
    torch.testing.assert_close(traced.output.sequence, plain.output.sequence, atol=1e-5, rtol=1e-5)


def test_what_is_drawn(crop_of: Callable) -> None:
    crop = crop_of('sdpose')
    one = patch_attention(crop, joint='left_wrist', head=1)
    panels = [axes.get_title() for axes in one.figure.axes if axes.images]
    largest = one.arrays['attention'][:, 0, 1, crop.loaded.joints.index('left_wrist')].max(axis=(1, 2))
    assert panels == [f'cycle {cycle}, layer 0\nto {value:.2g}' for cycle, value in enumerate(largest, start=1)]
    assert 'left_wrist, head 1' in one.figure.get_suptitle()
    every = patch_attention(crop, layer=0)
    titles = [axes.get_title().splitlines()[0] for axes in every.figure.axes if axes.images]
    assert titles == [*crop.loaded.joints] * 2
    between = joint_attention(crop)
    share = between.arrays['attention'].mean(axis=2).sum(axis=-1).mean(axis=-1)[:, 0]
    titles = [axes.get_title() for axes in between.figure.axes if axes.images]
    assert titles == [f'cycle {cycle}, layer 0: {value:.0%} to joints' for cycle, value in enumerate(share, start=1)]


def test_bad_input_is_named(crop_of: Callable) -> None:
    crop = crop_of('sdpose')
    with pytest.raises(
        UserError, match=r"^'elbow' is no joint of sdpose-tiny.*: choose one of nose, left_eye, .*ankle$"
    ):
        patch_attention(crop, joint='elbow')
    with pytest.raises(UserError, match=r'^layer 1: sdpose-tiny.* has the layers 0 to 0$'):
        patch_attention(crop, layer=1)
    with pytest.raises(UserError, match=r'^head 8: the layers of sdpose-tiny.* have the heads 0 to \d$'):
        joint_attention(crop, head=8)
    with pytest.raises(UserError, match='name one of the two'):
        patch_attention(crop, joint='nose', layer=0)
    with pytest.raises(UserError, match='has one query token'):
        joint_attention(crop_of('deit'))
    with pytest.raises(ConfigError, match='^simple-baseline-tiny.* has no tokens to look at'):
        patch_attention(crop_of('simple'))
