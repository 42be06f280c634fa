"""The coordinate head: numbers of the released code, its losses, flip test and scores."""

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from mmpose.evaluation.functional import keypoint_pck_accuracy
from mmpose.models.heads import RLEHead
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch.testing import assert_close

from sdpose.models.heads.accuracy import coordinate_pck
from sdpose.models.heads.token_reg_head import PoseRegression
from sdpose.structures import CycleTokens, TokenSet

CODEC = dict(type='RegressionLabel', input_size=(192, 256))
CLOSE = dict(atol=2e-5, rtol=1e-4)


def build(mode='xy', width=8, **kwargs):
    torch.manual_seed(0)
    head = MODELS.build(dict(type='TokenRegHead', in_channels=width, decoder=CODEC, mode=mode, **kwargs))
    torch.nn.init.normal_(head.mlp[-1].weight)
    return head


def cycle_tokens(*sequences, deployed=0):
    return CycleTokens(tuple(TokenSet(sequence, sequence.shape[1]) for sequence in sequences), deployed)


def samples(labels, weights, swap=(1, 0, 2)):
    result = []
    for label, weight in zip(labels, weights):
        sample = PoseDataSample(metainfo=dict(flip_indices=list(swap), input_size=(192, 256)))
        sample.gt_instance_labels = InstanceData(keypoint_labels=label[None], keypoint_weights=weight[None])
        result.append(sample)
    return result


@pytest.mark.parity
def test_parity(load_fixture, distilpose_student, folder):
    fixture = load_fixture('distilpose_all_onelayer', folder)
    model, feats = distilpose_student(fixture)
    head = model['head']
    assert_close(feats.output.query, fixture['kpt_token'], **CLOSE)
    assert_close(feats.output.visual, fixture['vis_token'], **CLOSE)
    assert_close(head.cycle_outputs(feats)[0], fixture['raw_head_output'], **CLOSE)
    regression = head(feats)
    assert_close(regression.coords, fixture['pred'], **CLOSE)
    assert_close(regression.score, fixture['score'], **CLOSE)
    assert_close(regression.sigma, fixture['sigma'], **CLOSE)
    weight = fixture['target_weight'][..., 0]
    loss = head.loss(feats, samples(fixture['target'], weight), dict(compute_acc=False))['loss_kpt']
    assert_close(loss.double(), fixture['loss/reg_loss'], rtol=1e-4, atol=1e-9)


@pytest.mark.parity
def test_likelihood_parity(load_fixture):
    fixture = load_fixture('losses_rle')
    head = build('rle')
    head.loss_module.load_state_dict(fixture.below('rle/w/'), strict=True)
    raw = fixture['rle/output'].requires_grad_()
    loss = head.loss_of(raw, (fixture['target'], fixture['target_weight'][..., 0]))
    assert_close(loss.double(), fixture['rle/loss'], rtol=1e-4, atol=1e-9)
    loss.backward()
    assert_close(raw.grad, fixture['rle/grad_output'], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(
    'mode, outputs', [('xy', 2), ('score', 3), ('sigma', 4), ('1sigma', 4), ('all', 5), ('rle', 4)]
)
def test_modes(mode, outputs):
    head = build(mode)
    regression = head(cycle_tokens(torch.randn(2, 3, 8)))
    assert head.mlp[-1].out_features == outputs
    assert regression.coords.shape == (2, 3, 2)
    assert (regression.score is not None) == (mode in ('score', '1sigma', 'all', 'rle'))
    assert (regression.sigma is None) == (mode in ('xy', 'score'))
    if mode == 'rle':
        assert_close(regression.score[..., 0], 1 - regression.sigma.mean(-1))
    else:
        assert 0 <= regression.coords.min() and regression.coords.max() <= 1


def test_likelihood_agrees_with_mmposes_head():
    torch.manual_seed(0)
    ours, raw = build('rle'), torch.randn(2, 3, 4)
    theirs = RLEHead(in_channels=4, num_joints=3, decoder=CODEC)
    theirs.forward = lambda feats: feats[-1].clone()
    ours.mlp = torch.nn.Identity()
    data = samples(torch.zeros(2, 3, 2), torch.ones(2, 3))
    mirrored = torch.randn(2, 3, 4)
    for test_cfg, feats in ((dict(flip_test=False), raw), (dict(flip_test=True, shift_coords=False), [raw, mirrored])):
        as_list = isinstance(feats, list)
        expected = theirs.predict([(each,) for each in feats] if as_list else (feats,), data, test_cfg)
        measured = ours.predict(
            [cycle_tokens(each) for each in feats] if as_list else cycle_tokens(feats), data, test_cfg
        )
        for one, other in zip(measured, expected):
            np.testing.assert_allclose(one.keypoints, other.keypoints, rtol=1e-5)
            np.testing.assert_allclose(one.keypoint_scores, other.keypoint_scores, rtol=1e-5)


def test_flip_swaps_joints_of_coordinates_and_scores_by_hand():
    head = build('score')
    plain = PoseRegression(
        torch.tensor([[[0.2, 0.5], [0.6, 0.5], [0.5, 0.1]]]), torch.tensor([[[1.0], [2.0], [3.0]]]), None
    )
    mirrored = PoseRegression(
        torch.tensor([[[0.4, 0.5], [0.8, 0.7], [0.5, 0.1]]]), torch.tensor([[[4.0], [5.0], [6.0]]]), None
    )
    outputs = iter((plain, mirrored))
    head.forward = lambda feats: next(outputs)
    (instance,) = head.predict([None, None], samples(torch.zeros(1, 3, 2), torch.ones(1, 3)), dict(flip_test=True))
    np.testing.assert_allclose(
        instance.keypoints[0], np.array([[0.2, 0.6], [0.6, 0.5], [0.5, 0.1]]) * [192, 256], rtol=1e-5
    )
    np.testing.assert_allclose(instance.keypoint_scores[0], [3.0, 3.0, 4.5])


@pytest.mark.parametrize('mode', ['xy', 'rle'])
def test_every_cycle_is_supervised_and_one_flow_serves_all(mode):
    head = build(mode)
    tokens = [torch.randn(4, 3, 8, requires_grad=True) for _ in range(2)]
    losses = head.loss(cycle_tokens(*tokens), samples(torch.rand(4, 3, 2), torch.ones(4, 3)))
    assert list(losses) == ['loss_kpt_cycle1', 'loss_kpt_cycle2', 'acc_pose']
    (losses['loss_kpt_cycle1'] + losses['loss_kpt_cycle2']).backward()
    assert all(token.grad.abs().sum() > 0 for token in tokens)
    assert [name for name, p in head.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0] == []


def test_smooth_l1_by_hand():
    head = build()
    head.activate = lambda raw: type('R', (), dict(coords=raw))()
    target = torch.tensor([[[0.0, 0.0], [0.0, 0.0]]])
    loss = head.loss_of(torch.tensor([[[0.5, 2.0], [9.0, 9.0]]]), (target, torch.tensor([[1.0, 0.0]])))
    assert loss.item() == pytest.approx((0.5 * 0.25 + 1.5) / 4)


def test_accuracy_equals_mmpose():
    rng = np.random.default_rng(0)
    target = rng.random((6, 5, 2)).astype(np.float32)
    output = (target + rng.normal(scale=0.04, size=target.shape)).astype(np.float32)
    visible = rng.random((6, 5)) > 0.3
    visible[:, 4] = False
    _, expected, _ = keypoint_pck_accuracy(output, target, visible, 0.05, np.ones((6, 2), np.float32))
    assert 0.2 < expected < 0.9
    measured = coordinate_pck(*(torch.from_numpy(array) for array in (output, target, visible)))
    assert measured.item() == pytest.approx(expected, abs=1e-6)


def test_bad_input():
    with pytest.raises(ValueError, match="mode='xyz' is unknown; choose one of xy, score, sigma, 1sigma, all, rle"):
        build('xyz')
    with pytest.raises(ValueError, match="supervise='none' is unknown"):
        build(supervise='none')
    with pytest.raises(ValueError, match="mode='rle' does not go with SmoothL1Loss"):
        build('rle', loss=dict(type='SmoothL1Loss', use_target_weight=True))
    with pytest.raises(ValueError, match="mode='xy' does not go with RLELoss"):
        build('xy', loss=dict(type='RLELoss', use_target_weight=True))
    with pytest.raises(ValueError, match='the width of a token, at least 1, got 0'):
        build(width=0)
