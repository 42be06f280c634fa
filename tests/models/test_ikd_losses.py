"""The terms of IKD: values by hand, zero at equality, gradients to the student only, and what they refuse."""

import math

import pytest
import torch
from torch.testing import assert_close

from sdpose.models import AttentionTransferLoss, FeatureMSELoss, HeatmapLogitLoss, JointRelationLoss, LimbVectorLoss


def peaks(*places, size=(8, 6)):
    """Heatmaps (1, K, H, W) with a one at each (x, y)."""
    maps = torch.zeros(1, len(places), *size[::-1])
    for joint, (x, y) in enumerate(places):
        maps[0, joint, y, x] = 1
    return maps


def test_logits_by_hand():
    student, teacher = torch.zeros(1, 2, 1, 2), torch.tensor([[[[1.0, 3.0]], [[0.0, 2.0]]]])
    assert HeatmapLogitLoss(loss_weight=0.5)(student, teacher).item() == 0.5 * (1 + 9 + 0 + 4) / 4
    weighted = HeatmapLogitLoss(use_target_weight=True)
    assert weighted(student, teacher, torch.tensor([[0.0, 0.5]])).item() == 0.5 * 4 / 4
    assert weighted.needs_weight and not HeatmapLogitLoss().needs_weight


def test_logits_and_annotation_mix_as_in_fpd():
    """At a squared error, alpha of the teacher and 1 - alpha of the annotation pull towards their weighted mean."""
    from mmpose.models.losses import KeypointMSELoss

    student = torch.rand(2, 3, 4, 4).requires_grad_()
    teacher, truth = torch.rand(2, 3, 4, 4), torch.rand(2, 3, 4, 4)
    (HeatmapLogitLoss(loss_weight=0.5)(student, teacher) + KeypointMSELoss(loss_weight=0.5)(student, truth)).backward()
    assert_close(student.grad, 2 * (student.detach() - (teacher + truth) / 2) / student.numel())


def test_features_by_hand():
    loss = FeatureMSELoss(2, 1, loss_weight=2.0)
    with torch.no_grad():
        loss.adapter.weight.copy_(torch.tensor([3.0, -1.0]).view(1, 2, 1, 1))
        loss.adapter.bias.fill_(0.5)
    student = torch.tensor([1.0, 2.0]).view(1, 2, 1, 1).expand(1, 2, 1, 2)  # adapted: 3 - 2 + 0.5
    teacher = torch.tensor([[[[1.5, 0.5]]]])
    assert loss(student, teacher).item() == 2 * (0 + 1) / 2
    assert FeatureMSELoss()(teacher, teacher).item() == 0 and not list(FeatureMSELoss().parameters())
    with torch.no_grad():
        assert loss(student, loss.adapter(student)).item() == 0


def test_adapter_is_trained():
    loss = FeatureMSELoss(3, 5)
    loss(torch.rand(2, 3, 4, 4), torch.rand(2, 5, 4, 4)).backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in loss.parameters())


def test_attention_transfer_by_hand():
    student = torch.tensor([[[[3.0, 0.0]], [[0.0, 2.0]]]])  # energies 9 and 4
    teacher = torch.tensor([[[[0.0, 1.0]]]])  # all of it at the second place
    norm = math.hypot(9, 4)
    expected = (9 / norm) ** 2 + (4 / norm - 1) ** 2
    assert_close(AttentionTransferLoss(3.0)(student, teacher), torch.tensor(3 * expected))
    # What counts is where, neither how much nor in which channel.
    assert AttentionTransferLoss()(student, -7 * student.flip(1)).item() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    'loss, weighted',
    [
        (AttentionTransferLoss(2.0), False),
        (FeatureMSELoss(loss_weight=2.0), False),
        (JointRelationLoss(2.0), False),
        (HeatmapLogitLoss(loss_weight=2.0), False),
        (HeatmapLogitLoss(True, 2.0), True),
        (LimbVectorLoss(), True),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_batch_is_the_mean_of_its_samples(loss, weighted):
    student, teacher, weight = (
        torch.rand(size, generator=torch.Generator().manual_seed(seed))
        for seed, size in ((0, (3, 4, 6, 8)), (1, (3, 4, 6, 8)), (2, (3, 4)))
    )
    extra = [weight] if weighted else []
    alone = [loss(*(part[n : n + 1] for part in (student, teacher, *extra))) for n in range(3)]
    assert min(alone) > 0 and max(alone) / min(alone) > 1.01
    assert_close(loss(student, teacher, *extra), sum(alone) / 3)


def test_relations_by_hand():
    """Three joints of which the teacher has two in one place, the student none."""
    teacher, student = peaks((1, 1), (1, 1), (4, 2)), peaks((1, 1), (2, 1), (4, 2))
    expected = torch.tensor([[[1.0, 1, 0], [1, 1, 0], [0, 0, 1]]])
    assert_close(JointRelationLoss.relations(teacher), expected)
    assert_close(JointRelationLoss.relations(student), torch.eye(3)[None])
    assert_close(JointRelationLoss(0.5)(student, teacher), torch.tensor(0.5 * 2 / 9))
    assert JointRelationLoss()(5 * teacher, teacher).item() == pytest.approx(0, abs=1e-12)


def test_relations_of_a_blank_map():
    blank = torch.zeros(1, 3, 6, 8, requires_grad=True)
    loss = JointRelationLoss()(blank, peaks((1, 1), (1, 1), (4, 2)))
    assert_close(loss, torch.tensor(5 / 9))
    loss.backward()
    assert torch.isfinite(blank.grad).all()


def test_limbs_by_hand():
    """Sharp maps: the soft-argmax is the peak. One limb as the teacher's but elsewhere, one longer by 2 cells in x."""
    loss = LimbVectorLoss(limbs=[(0, 1), (1, 2)], beta=1000.0, loss_weight=4.0)
    teacher, student = peaks((0, 0), (2, 1), (4, 4)), peaks((1, 1), (3, 2), (7, 5))
    assert_close(loss.places(teacher), torch.tensor([[[0, 0], [2 / 8, 1 / 6], [4 / 8, 4 / 6]]]))
    ones = torch.ones(1, 3)
    assert_close(loss(student, teacher, ones), torch.tensor(4 * (2 / 8) ** 2 / 4))
    assert loss(student, teacher, torch.tensor([[1.0, 1, 0]])).item() == pytest.approx(0, abs=1e-12)
    every = LimbVectorLoss(beta=1000.0)(student, teacher, ones)  # limb 0-2 is longer by 2 cells as well
    assert_close(every, torch.tensor(2 * (2 / 8) ** 2 / 6))


def test_limbs_need_heatmaps():
    """Not tokens, coordinates or logits, which have no place to look for."""
    with pytest.raises(ValueError, match=r'heatmaps .* must be maps \(B, C, H, W\) of one size, got \(2, 3, 8\) and'):
        LimbVectorLoss()(torch.zeros(2, 3, 8), torch.zeros(2, 3, 8), torch.ones(2, 3))


def test_soft_argmax_of_a_flat_map_is_its_centre():
    flat = LimbVectorLoss().places(torch.zeros(1, 1, 3, 5))
    assert_close(flat, torch.tensor([[[2 / 5, 1 / 3]]]))


TERMS = [HeatmapLogitLoss(True), FeatureMSELoss(), AttentionTransferLoss(), JointRelationLoss(), LimbVectorLoss()]


@pytest.mark.parametrize('loss', TERMS, ids=lambda loss: type(loss).__name__)
def test_every_term(loss):
    """Zero at equality; positive elsewhere; a gradient for the student; linear in its weight; one shape only."""
    torch.manual_seed(0)
    student, teacher = torch.rand(2, 4, 6, 8).requires_grad_(), torch.rand(2, 4, 6, 8)
    weight = [torch.ones(2, 4)] if getattr(loss, 'needs_weight', False) else []
    assert loss(teacher, teacher, *weight).item() == pytest.approx(0, abs=1e-10)
    value = loss(student, teacher, *weight)
    value.backward()
    assert value.ndim == 0 and value > 0 and teacher.grad is None
    assert student.grad.abs().sum() > 0 and torch.isfinite(student.grad).all()
    loss.loss_weight = 3.0
    assert_close(loss(student, teacher, *weight), 3 * value)
    loss.loss_weight = 1.0
    with pytest.raises(ValueError, match=r'\(2, 4, 6, 8\) and \(2, 4, 3, 8\)'):
        loss(student, teacher[:, :, :3], *weight)
    for bad, message in (
        (-1, 'must not be negative, got -1'),
        ('1', "must be a finite number, got '1'"),
        (float('nan'), 'must be a finite number, got nan'),
    ):
        with pytest.raises(ValueError, match=f'loss_weight {message}'):
            type(loss)(loss_weight=bad)
    with pytest.raises(ValueError, match=r'got a tuple and \(2, 4, 6, 8\)'):  # as the heads of SimCC return
        loss((student, student), teacher, *weight)


def test_mixed_precision_loses_nothing_of_relations_places_and_energies():
    """Heatmaps that differ little, and features whose squares half precision cannot hold."""
    torch.manual_seed(0)
    teacher = torch.rand(2, 4, 6, 8)
    student = teacher + 1e-3 * torch.rand(2, 4, 6, 8)
    expected = JointRelationLoss()(student, teacher)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert_close(JointRelationLoss()(student, teacher), expected)
    maps = torch.rand(2, 4, 64, 48).bfloat16()  # as MMPose's heads return them under autocast
    assert_close(LimbVectorLoss().places(maps), LimbVectorLoss().places(maps.float()))
    large = (300 * torch.rand(2, 4, 6, 8)).half()
    assert_close(AttentionTransferLoss.attention(large), AttentionTransferLoss.attention(large.float()))


def test_bad_arguments():
    with pytest.raises(ValueError, match='must both be positive, or both be left out.*got 8 and None'):
        FeatureMSELoss(student_channels=8)
    with pytest.raises(ValueError, match='have 4 and 5 channels, but student_channels=8 and teacher_channels=5'):
        FeatureMSELoss(8, 5)(torch.zeros(1, 4, 2, 2), torch.zeros(1, 5, 2, 2))
    with pytest.raises(ValueError, match=r'without an adapter.*\(1, 4, 2, 2\) and \(1, 5, 2, 2\)'):
        FeatureMSELoss()(torch.zeros(1, 4, 2, 2), torch.zeros(1, 5, 2, 2))
    with pytest.raises(ValueError, match='beta must be positive, got 0'):
        LimbVectorLoss(beta=0)
    for limbs in ([], [(1, 1)], [(0, 1, 2)], [(-1, 2)]):
        with pytest.raises(ValueError, match='limbs must be pairs of two different joint indices'):
            LimbVectorLoss(limbs=limbs)
    with pytest.raises(ValueError, match='limbs name joint 5, but there are 3 joints'):
        LimbVectorLoss(limbs=[(0, 5)])(torch.zeros(1, 3, 2, 2), torch.zeros(1, 3, 2, 2), torch.ones(1, 3))
