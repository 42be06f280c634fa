"""What a head regresses and loses under autocast, and that half precision can be decoded."""

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample

from sdpose.models.losses import ScoreLoss
from sdpose.structures import CycleTokens, TokenSet

HEATMAP = dict(
    type='MSRAHeatmap', input_size=(32, 64), heatmap_size=(8, 16), sigma=2, unbiased=True, blur_kernel_size=3
)
COORDINATES = dict(type='RegressionLabel', input_size=(32, 64))
HEADS = dict(
    heatmap=dict(type='TokenPoseHead', decoder=HEATMAP),
    xy=dict(type='TokenRegHead', decoder=COORDINATES, mode='all'),
    rle=dict(type='TokenRegHead', decoder=COORDINATES, mode='rle'),
)


def build(name):
    torch.manual_seed(0)
    return MODELS.build(dict(HEADS[name], in_channels=16)).eval()


def tokens(dtype=torch.float32):
    generator = torch.Generator().manual_seed(1)
    sets = tuple(TokenSet(torch.randn(2, 3, 16, generator=generator).to(dtype), 3) for _ in range(2))
    return CycleTokens(sets, 0)


def samples():
    result = []
    for place in (0.2, 0.9):
        sample = PoseDataSample(metainfo=dict(flip_indices=[0, 1, 2], input_size=(32, 64)))
        sample.gt_instance_labels = InstanceData(
            keypoint_labels=torch.full((1, 3, 2), place), keypoint_weights=torch.ones(1, 3)
        )
        result.append(sample)
    return result


@pytest.mark.parametrize('name', ['xy', 'rle'])
def test_coordinates_and_their_loss_are_those_of_full_precision(name):
    head = build(name)
    plain = head(tokens()), head.loss(tokens(), samples(), dict(compute_acc=False))
    with torch.autocast('cpu', dtype=torch.bfloat16):
        mixed = head(tokens()), head.loss(tokens(), samples(), dict(compute_acc=False))
        assert head.mlp(tokens().output.query).dtype == torch.bfloat16  # left to itself
    for one, other in zip(plain[0], mixed[0]):
        assert torch.equal(one, other)
    assert list(plain[1]) == ['loss_kpt_cycle1', 'loss_kpt_cycle2'] and plain[1] == mixed[1]


@torch.no_grad()
@pytest.mark.parametrize('name', HEADS)
def test_half_precision_can_be_decoded(name):
    head = build(name)
    expected = decoded(head.predict(tokens(), samples(), {}))
    with torch.autocast('cpu', dtype=torch.bfloat16):
        mixed = decoded(head.predict(tokens(), samples(), {}))
    half = decoded(head.half().predict(tokens(torch.half), samples(), {}))
    for found in (mixed, half):
        assert np.isfinite(found).all() and found.shape == expected.shape
        if name != 'heatmap':  # a peak of random values may turn by rounding
            assert np.abs(found - expected).max() < 0.5  # pixels


def decoded(predicted):
    instances = predicted[0] if isinstance(predicted, tuple) else predicted
    return np.concatenate([each.keypoints for each in instances])


def test_the_score_of_a_coordinate_that_is_no_number():
    """It used to be an index far outside the map, which ended the run before the broken loss was named."""
    coords = torch.tensor([[[float('nan'), 0.5], [1.0, 0.0]]])
    assert ScoreLoss.look_up(coords, torch.ones(1, 2, 4, 3)).tolist() == [[0.0, 1.0]]
