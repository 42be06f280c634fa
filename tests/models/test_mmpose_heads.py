"""Convolutional models of MMPose's own heads: what they lose is what MMPose says, in half precision, too."""

import copy
from pathlib import Path

import pytest
import torch
from device_reads import reads
from mmengine.registry import init_default_scope
from mmpose.models.pose_estimators import TopdownPoseEstimator
from mmpose.registry import MODELS
from tasks import task_of

from sdpose.config.load import load_config

QUICK = Path(__file__).parents[2] / 'configs/quick_start'
NAMES = ['simple-baseline-tiny_res18_1xb32-10e_synthetic-64x48', 'rle-tiny_res18_1xb32-10e_synthetic-64x48']


@pytest.fixture(params=NAMES)
def given(request):
    """A model that has learned a little, images and samples, some of whose joints are not labelled."""
    init_default_scope('mmpose')
    cfg = load_config(QUICK / f'{request.param}.py')
    torch.manual_seed(0)
    model = MODELS.build(cfg.model).train()
    batch = model.data_preprocessor(task_of(cfg).inputs(cfg, 4), True)
    samples = batch['data_samples']
    for sample in samples:
        sample.gt_instance_labels.keypoint_weights[0, :3] = 0
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(20):
        model.loss(batch['inputs'], samples)['loss_kpt'].backward()
        optimizer.step()
        optimizer.zero_grad()
    return model, batch['inputs'], samples


def test_the_numbers_are_those_of_mmpose(given):
    model, images, samples = given
    expected = TopdownPoseEstimator.loss(copy.deepcopy(model), images, samples)
    with reads() as count:
        found = model.loss(images, samples)
    assert count == {} and found.keys() == expected.keys() == {'loss_kpt', 'acc_pose'}
    assert found['loss_kpt'] == expected['loss_kpt']
    assert found['acc_pose'].item() == pytest.approx(expected['acc_pose'].item(), abs=1e-6)
    assert 0 < found['acc_pose'] < 1 and not found['acc_pose'].requires_grad


def test_half_precision(given):
    model, images, samples = given
    whole = copy.deepcopy(model).loss(images, samples)['loss_kpt']
    with torch.autocast('cpu', dtype=torch.bfloat16):
        half = model.loss(images, samples)
    assert half['loss_kpt'].dtype == torch.float32 and half['loss_kpt'] != whole
    assert half['loss_kpt'].item() == pytest.approx(whole.item(), rel=0.05)
    half['loss_kpt'].backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())
    assert 0 <= half['acc_pose'] <= 1


def test_the_accuracy_can_be_left_out(given):
    model, images, samples = given
    model.train_cfg = dict(compute_acc=False)
    assert model.loss(images, samples).keys() == {'loss_kpt'}
