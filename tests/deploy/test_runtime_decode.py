"""The decoders of the runtime give MMPose's joints, in one call for a batch: bit by bit, with DARK to 1e-4 pixels."""

import warnings

import cv2
import mmpose.codecs
import numpy as np
import pytest
import torch
from mmpose.models.heads import HeatmapHead
from mmpose.models.utils.tta import flip_heatmaps
from mmpose.registry import KEYPOINT_CODECS

import sdpose  # noqa: F401  (registers the codec)
from sdpose.deploy import runtime

SIZES = (((192, 256), (48, 64), 11), ((48, 64), (12, 16), 3), ((52, 76), (13, 19), 11), ((256, 256), (64, 64), 17))


def maps_of(name: str, heatmap: tuple[int, int]) -> np.ndarray:
    """Heatmaps (6, 17, H, W) of a kind; joints lie on, beside and outside of the maps."""
    rng = np.random.default_rng(7)
    width, height = heatmap
    y, x = np.mgrid[:height, :width]
    centre_x = rng.uniform(-3, width + 3, (6, 17, 1, 1))
    centre_y = rng.uniform(-3, height + 3, (6, 17, 1, 1))
    peaks = np.exp(-((x - centre_x) ** 2 + (y - centre_y) ** 2) / 8).astype(np.float32)
    noise = rng.normal(0, 1, peaks.shape).astype(np.float32)
    border = np.zeros_like(peaks)
    for joint in range(17):  # a peak in each of the outer columns and rows
        border[:, joint, joint % height, joint % 4] = 1
        border[:3, joint, height - 1 - joint % 4, width - 1 - joint % width] = 2
    odd = peaks.copy()
    odd[0, 0], odd[1, 3, 4, 5], odd[2, 2, 0, 0], odd[3, 1, 8, 6] = np.nan, np.nan, np.inf, -np.inf
    return dict(
        peaks=peaks,
        noisy=peaks + noise * np.float32(0.05),
        noise=noise,
        faint=peaks * np.float32(1e-12),
        border=border,
        flat=np.full_like(peaks, 0.25),
        zero=np.zeros_like(peaks),
        negative=-peaks - 1,
        odd=odd,
    )[name]


@pytest.mark.parametrize('unbiased', [True, False])
@pytest.mark.parametrize('size, heatmap, kernel', SIZES)
@pytest.mark.parametrize('name', ['peaks', 'noisy', 'noise', 'faint', 'border', 'flat', 'zero', 'negative', 'odd'])
def test_heatmaps_are_decoded_as_mmpose_does(name: str, size: tuple, heatmap: tuple, kernel: int, unbiased: bool):
    given = dict(input_size=size, heatmap_size=heatmap, sigma=2, unbiased=unbiased, blur_kernel_size=kernel)
    ours = KEYPOINT_CODECS.build(dict(type='BatchMSRAHeatmap', **given))
    theirs = KEYPOINT_CODECS.build(dict(type='MSRAHeatmap', **given))
    maps = maps_of(name, heatmap)
    before = maps.copy()
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # MMPose's, of NaN and empty maps
        expected = [theirs.decode(each) for each in maps]
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        joints, scores = ours.batch_decode(torch.from_numpy(maps))
        single = ours.decode(maps[1])
    for number, (their_joints, their_scores) in enumerate(expected):
        assert joints[number].dtype == their_joints.dtype and joints[number].shape == their_joints.shape == (1, 17, 2)
        np.testing.assert_allclose(joints[number], their_joints, rtol=0, atol=1e-4 * unbiased)
        np.testing.assert_array_equal(scores[number], their_scores)
    np.testing.assert_allclose(single[0], expected[1][0], rtol=0, atol=1e-4 * unbiased)
    np.testing.assert_array_equal(maps, before)  # what is decoded is left as it was


def test_a_peak_is_decoded_where_it_was_encoded():
    codec = KEYPOINT_CODECS.build(
        dict(type='BatchMSRAHeatmap', input_size=(192, 256), heatmap_size=(48, 64), sigma=2, unbiased=True)
    )
    joints = np.random.default_rng(1).uniform(24, 168, (1, 17, 2))
    found, scores = codec.decode(codec.encode(joints)['heatmaps'])
    assert abs(found - joints).max() < 0.1 and scores.min() > 0.9


def test_a_matrix_that_is_singular_to_rounding_moves_nothing_else(monkeypatch: pytest.MonkeyPatch):
    curvature = np.float32([[[-2, 0.5], [0.5, -1]], [[-1, 1], [1, -1]]])
    slope = np.float32([[0.3, -0.1], [0.2, 0.2]])
    moves = runtime._newton(curvature, slope)  # the second one is exactly singular, which inv refuses
    np.testing.assert_allclose(curvature[0] @ moves[0], -slope[0], rtol=1e-6)
    np.testing.assert_array_equal(moves[1], [0, 0])
    np.testing.assert_allclose(moves[0], runtime._newton(curvature[:1], slope[:1])[0], rtol=1e-6)


def test_a_head_decodes_by_the_batch():
    codec = dict(type='BatchMSRAHeatmap', input_size=(48, 64), heatmap_size=(12, 16), sigma=2, unbiased=True)
    heads = [
        HeatmapHead(8, 17, deconv_out_channels=None, decoder=dict(codec, type=kind))
        for kind in ('BatchMSRAHeatmap', 'MSRAHeatmap')
    ]
    maps = torch.from_numpy(maps_of('noisy', (12, 16)))
    ours, theirs = ([(each.keypoints, each.keypoint_scores) for each in head.decode(maps)] for head in heads)
    for mine, other in zip(ours, theirs):
        np.testing.assert_allclose(mine[0], other[0], rtol=0, atol=1e-4)
        np.testing.assert_array_equal(mine[1], other[1])


@pytest.mark.parametrize('shift', [True, False])
def test_mirrored_heatmaps_return_as_mmpose_turns_them(shift: bool):
    maps = maps_of('noise', (12, 16))
    pairs = [[1, 2], [3, 4], [15, 16]]
    order = runtime.flip_indices(17, pairs)
    assert order.tolist() == [0, 2, 1, 4, 3, *range(5, 15), 16, 15]
    expected = flip_heatmaps(torch.from_numpy(maps.copy()), order.tolist(), shift_heatmap=shift)
    np.testing.assert_array_equal(runtime.mirror_heatmaps(maps, order, shift), expected.numpy())


@pytest.mark.parametrize('ratio', [2.0, 1.0])
def test_simcc_is_decoded_as_mmpose_does(ratio: float):
    codec = mmpose.codecs.SimCCLabel((48, 64), sigma=2.0, simcc_split_ratio=ratio)
    rng = np.random.default_rng(2)
    x, y = (rng.normal(0, 1, (5, 17, int(side * ratio))).astype(np.float32) for side in (48, 64))
    x[2, 3] = -1
    joints, scores = runtime.decode_simcc(x, y, (48, 64))
    for number in range(5):
        theirs, their_scores = codec.decode(x[number].copy(), y[number].copy())
        np.testing.assert_allclose(joints[number], theirs[0], atol=1e-6)
        np.testing.assert_array_equal(scores[number], their_scores[0])


def test_a_batch_is_blurred_in_few_calls(monkeypatch: pytest.MonkeyPatch):
    """Where MMPose's time goes: a call, and a dozen of NumPy's, for each joint."""
    calls = []
    blur = cv2.GaussianBlur
    monkeypatch.setattr(cv2, 'GaussianBlur', lambda *given, **more: calls.append(given) or blur(*given, **more))
    maps = maps_of('noisy', (48, 64))
    runtime.decode_heatmaps(maps, (192, 256), True)
    assert len(calls) <= 2 < maps.shape[0] * maps.shape[1]
