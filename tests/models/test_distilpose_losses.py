"""Simulated heatmap and score loss: numbers of the released code, and values by hand."""

import itertools
import math

import pytest
import torch
from torch.testing import assert_close

from sdpose.models import ScoreLoss, SimulatedHeatmapLoss, TokenMSELoss
from sdpose.models.heads.token_reg_head import PoseRegression


def regression(fixture):
    return PoseRegression(
        fixture['pred'].requires_grad_(), fixture['score'].requires_grad_(), fixture['sigma'].requires_grad_()
    )


def close(value, expected):
    assert_close(value.detach().double(), torch.as_tensor(expected).double(), rtol=1e-4, atol=1e-9)


@pytest.mark.parity
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
    drawn, expected = simulated * touches[..., None, None], fixture['reg2hm_s2/sim_heatmap_first_sample']
    assert len(expected) >= 4
    assert_close(drawn[0, : len(expected)], expected, atol=2e-5, rtol=1e-4)


@pytest.mark.parity
def test_released_gradients(load_fixture, folder):
    fixture = load_fixture('losses', folder)
    student = regression(fixture)
    SimulatedHeatmapLoss(weighting='released')(
        student, fixture['teacher_heatmap'], fixture['target_weight'][..., 0]
    ).backward()
    assert_close(student.coords.grad, fixture['reg2hm_s2/grad_pred'], rtol=1e-3, atol=1e-8)
    assert_close(student.sigma.grad, fixture['reg2hm_s2/grad_sigma'], rtol=1e-3, atol=1e-8)


def test_simulated_heatmap_by_hand():
    """One keypoint in the middle of a 3 x 2 map (w x h)."""
    student = PoseRegression(torch.tensor([[[1 / 3, 0.5]]]), None, torch.tensor([[[1.0, 2.0]]]))  # at (1, 1)
    expected = [[math.exp(-0.5 * ((u - 1) ** 2 / 1 + (v - 1) ** 2 / 4)) for u in range(3)] for v in range(2)]
    simulated, touches = SimulatedHeatmapLoss.simulate(student.coords, student.sigma, (3, 2))
    assert_close(simulated[0, 0], torch.tensor(expected))
    assert touches.tolist() == [[True]]
    loss = SimulatedHeatmapLoss(2.0)(student, torch.zeros(1, 1, 2, 3), torch.full((1, 1), 0.5))
    close(loss, 2 * 0.5 * sum(value**2 for row in expected for value in row) / 6)
    assert SimulatedHeatmapLoss()(student, simulated, torch.ones(1, 1)).item() == 0


def test_keypoint_far_off_the_map_does_not_count():
    student = PoseRegression(torch.tensor([[[3.0, 0.5]]]), torch.ones(1, 1, 1), torch.ones(1, 1, 2))
    assert SimulatedHeatmapLoss()(student, torch.ones(1, 1, 8, 8), torch.ones(1, 1)).item() == 0


# Two samples, three joints: fractional places and weights, two sigmas; the last joint's box lies off the map, 6 x 5.
PLACES = [[[0.31, 0.47], [0.62, 0.15], [2.5, 0.5]], [[0.83, 0.9], [0.05, 0.55], [0.4, -1.5]]]
SIGMAS = [[[0.6, 1.1], [1.7, 0.4], [0.5, 0.5]], [[0.9, 0.8], [0.3, 2.2], [1.0, 0.7]]]
WEIGHTS = [[0.25, 1.0, 0.7], [0.0, 0.6, 2.0]]


def simulated_case():
    """Student, teacher's heatmaps and weights of the case above, and the error of each joint by the formula."""
    teacher = torch.arange(2 * 3 * 5 * 6).float().sin().view(2, 3, 5, 6) / 2
    errors = torch.zeros(2, 3, dtype=torch.float64)
    for n, k, v, u in itertools.product(range(2), range(3), range(5), range(6)):
        (x, y), (across, down) = PLACES[n][k], SIGMAS[n][k]
        drawn = math.exp(-0.5 * (((u - 6 * x) / across) ** 2 + ((v - 5 * y) / down) ** 2)) if k < 2 else 0.0
        errors[n, k] += (drawn - teacher[n, k, v, u].item()) ** 2 / 30
    weight = torch.tensor(WEIGHTS)
    weight[:, 2] = 0
    return PoseRegression(torch.tensor(PLACES), None, torch.tensor(SIGMAS)), teacher, errors, weight


def test_each_joint_has_its_own_weight_by_default():
    student, teacher, errors, weight = simulated_case()
    expected = (errors * weight).sum() / 6
    close(SimulatedHeatmapLoss()(student, teacher, torch.tensor(WEIGHTS)), expected)
    close(SimulatedHeatmapLoss(3.0, weighting='per_sample')(student, teacher, torch.tensor(WEIGHTS)), 3 * expected)


def test_the_released_weighting_multiplies_means():
    student, teacher, errors, weight = simulated_case()
    expected = sum(errors[:, k].mean() * weight[:, k].mean() for k in range(3)) / 3
    assert abs(expected / ((errors * weight).sum() / 6) - 1) > 0.05  # another number than by default
    close(SimulatedHeatmapLoss(weighting='released')(student, teacher, torch.tensor(WEIGHTS)), expected)


@pytest.mark.parametrize('axis', [0, 1])
@pytest.mark.parametrize('pixel, touches', [(10.75, True), (11.0, False), (-4.0, True), (-4.25, False)])
def test_the_gate_of_three_sigmas_on_each_side(axis, pixel, touches):
    """On a map of 8 pixels with sigma 1: in while mean - 3 < 8 and mean + 3 + 1 >= 0."""
    place = [0.5, 0.5]
    place[axis] = pixel / 8
    coords, sigma = torch.tensor([[place]]), torch.ones(1, 1, 2)
    assert SimulatedHeatmapLoss.simulate(coords, sigma, (8, 8))[1].item() is touches
    flat = torch.full((1, 1, 8, 8), 0.5)
    loss = SimulatedHeatmapLoss()(PoseRegression(coords, None, sigma), flat, torch.ones(1, 1))
    assert (loss > 0).item() is touches


def test_one_sigma_serves_both_axes():
    student, teacher, _, _ = simulated_case()
    one = student._replace(sigma=student.sigma[..., :1])
    both = student._replace(sigma=student.sigma[..., :1].repeat(1, 1, 2))
    weight = torch.ones(2, 3)
    close(SimulatedHeatmapLoss()(one, teacher, weight), SimulatedHeatmapLoss()(both, teacher, weight))


def test_score_at_fractional_places_by_hand():
    """Two samples, two joints on maps of 5 x 4: the nearest pixel, halves to the even one, both sides weighted."""
    heatmaps = torch.arange(80.0).view(2, 2, 4, 5) / 10
    #                        column 2.6 -> 3, row 1.2 -> 1   0.5 -> 0, 2.5 -> 2
    coords = torch.tensor(
        [[[0.65, 0.4], [0.125, 2.5 / 3]], [[0.9, 0.1], [1.0, 1.0]]]
    )  # 3.6 -> 4, 0.3 -> 0; the last pixel
    looked_up = [[heatmaps[0, 0, 1, 3], heatmaps[0, 1, 2, 0]], [heatmaps[1, 0, 0, 4], heatmaps[1, 1, 3, 4]]]
    assert ScoreLoss.look_up(coords, heatmaps).tolist() == [[value.item() for value in row] for row in looked_up]
    score, weight = torch.tensor([[[1.0], [-2.0]], [[5.0], [7.5]]]), torch.tensor([[0.5, 0.25], [2.0, 0.0]])
    expected = sum((score[n, k, 0] - looked_up[n][k]).abs() * weight[n, k] for n in range(2) for k in range(2)) / 4
    close(ScoreLoss(0.01)(PoseRegression(coords, score, None), heatmaps, weight), 0.01 * expected)


def test_tokens_by_hand():
    student = torch.tensor([[[1.0, 2.0], [0.5, 0.0]], [[0.0, 0.0], [3.0, -1.0]]])
    teacher = torch.tensor([[[0.0, 2.0], [0.0, 0.0]], [[0.0, 1.0], [1.0, 1.0]]])
    assert TokenMSELoss(5e-4)(student, teacher).item() == pytest.approx(5e-4 * (1 + 0.25 + 1 + 4 + 4) / 8)


def test_score_by_hand():
    heatmaps = torch.arange(6.0).view(1, 1, 2, 3)
    inside = PoseRegression(torch.tensor([[[1.0, 1.0]]], requires_grad=True), torch.tensor([[[4.0]]]), None)
    assert ScoreLoss()(inside, heatmaps, torch.ones(1, 1)).item() == 1  # last pixel holds 5
    outside = inside._replace(coords=torch.tensor([[[1.01, 0.0]]]))
    assert ScoreLoss()(outside, heatmaps, torch.full((1, 1), 0.5)).item() == 2  # target 0, weight 0.5
    score = torch.tensor([[[5.0]]], requires_grad=True)
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
