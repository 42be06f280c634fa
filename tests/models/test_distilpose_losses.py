"""Simulated heatmap and score loss: numbers of the released code, and values by hand."""
import math

import pytest
import torch
from torch.testing import assert_close

from sdpose.models import ScoreLoss, SimulatedHeatmapLoss, TokenMSELoss
from sdpose.models.heads.token_reg_head import PoseRegression


def regression(fixture):
    return PoseRegression(fixture['pred'].requires_grad_(), fixture['score'].requires_grad_(),
                          fixture['sigma'].requires_grad_())


def close(value, expected):
    assert_close(value.detach().double(), torch.as_tensor(expected).double(), rtol=1e-4, atol=1e-9)


def test_released_numbers(load_fixture, folder):
    fixture = load_fixture('losses', folder)
    student, teacher = regression(fixture), fixture['teacher_heatmap']
    weight = fixture['target_weight'][..., 0]
    close(ScoreLoss(0.01)(student, teacher, weight), fixture['score_loss/use_target_weight_True'])
    close(ScoreLoss(0.01)(student, teacher, torch.ones_like(weight)), fixture['score_loss/use_target_weight_False'])
    close(SimulatedHeatmapLoss(weighting='released')(student, teacher, weight), fixture['reg2hm_s2/official'])
    intended = SimulatedHeatmapLoss()(student, teacher, weight)
    close(intended, fixture['reg2hm_s2/intended_no_broadcast_bug'])
    one_sigma = student._replace(sigma=student.sigma[..., :1])
    close(SimulatedHeatmapLoss(weighting='released')(one_sigma, teacher, weight), fixture['reg2hm_s1/official'])
    close(TokenMSELoss()(fixture['tok/student'], fixture['tok/teacher']), fixture['tok/loss_w1'])
    close(TokenMSELoss(5e-6)(fixture['tok/student'], fixture['tok/teacher']), fixture['tok/loss_w5e-6'])
    simulated, touches = SimulatedHeatmapLoss.simulate(student.coords, student.sigma, (48, 64))
    assert_close(weight * touches, fixture['reg2hm_s2/weight'])
    drawn = simulated * touches[..., None, None]
    assert_close(drawn[0], fixture['reg2hm_s2/sim_heatmap_first_sample'], atol=2e-5, rtol=1e-4)


def test_released_gradients(load_fixture, folder):
    fixture = load_fixture('losses', folder)
    student = regression(fixture)
    SimulatedHeatmapLoss(weighting='released')(student, fixture['teacher_heatmap'],
                                               fixture['target_weight'][..., 0]).backward()
    assert_close(student.coords.grad, fixture['reg2hm_s2/grad_pred'], rtol=1e-3, atol=1e-8)
    assert_close(student.sigma.grad, fixture['reg2hm_s2/grad_sigma'], rtol=1e-3, atol=1e-8)


def test_simulated_heatmap_by_hand():
    """One keypoint in the middle of a 3 x 2 map (w x h)."""
    student = PoseRegression(torch.tensor([[[1 / 3, 0.5]]]), None, torch.tensor([[[1., 2.]]]))  # at (1, 1)
    expected = [[math.exp(-0.5 * ((u - 1)**2 / 1 + (v - 1)**2 / 4)) for u in range(3)] for v in range(2)]
    simulated, touches = SimulatedHeatmapLoss.simulate(student.coords, student.sigma, (3, 2))
    assert_close(simulated[0, 0], torch.tensor(expected))
    assert touches.tolist() == [[True]]
    loss = SimulatedHeatmapLoss(2.)(student, torch.zeros(1, 1, 2, 3), torch.full((1, 1), 0.5))
    close(loss, 2 * 0.5 * sum(value**2 for row in expected for value in row) / 6)
    assert SimulatedHeatmapLoss()(student, simulated, torch.ones(1, 1)).item() == 0


def test_keypoint_far_off_the_map_does_not_count():
    student = PoseRegression(torch.tensor([[[3., 0.5]]]), torch.ones(1, 1, 1), torch.ones(1, 1, 2))
    assert SimulatedHeatmapLoss()(student, torch.ones(1, 1, 8, 8), torch.ones(1, 1)).item() == 0


def test_score_by_hand():
    heatmaps = torch.arange(6.).view(1, 1, 2, 3)
    inside = PoseRegression(torch.tensor([[[1., 1.]]], requires_grad=True), torch.tensor([[[4.]]]), None)
    assert ScoreLoss()(inside, heatmaps, torch.ones(1, 1)).item() == 1  # last pixel holds 5
    outside = inside._replace(coords=torch.tensor([[[1.01, 0.]]]))
    assert ScoreLoss()(outside, heatmaps, torch.full((1, 1), 0.5)).item() == 2  # target 0, weight 0.5
    score = torch.tensor([[[5.]]], requires_grad=True)
    loss = ScoreLoss()(inside._replace(score=score), heatmaps, torch.ones(1, 1))
    loss.backward()
    assert loss.item() == 0 and inside.coords.grad is None


def test_bad_input():
    plain = PoseRegression(torch.zeros(1, 1, 2), None, None)
    with pytest.raises(ValueError, match='a simulated heatmap needs a student that regresses sigma'):
        SimulatedHeatmapLoss()(plain, torch.zeros(1, 1, 2, 2), torch.ones(1, 1))
    with pytest.raises(ValueError, match='needs a student that regresses a score'):
        ScoreLoss()(plain, torch.zeros(1, 1, 2, 2), torch.ones(1, 1))
    with pytest.raises(ValueError, match="weighting='none' is unknown; choose one of per_sample, released"):
        SimulatedHeatmapLoss(weighting='none')
