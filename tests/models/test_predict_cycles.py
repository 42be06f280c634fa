"""Predicting every cycle at once equals deploying one cycle after the other."""

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample

HEADS = dict(
    heatmap=dict(
        type='TokenPoseHead',
        in_channels=16,
        decoder=dict(
            type='MSRAHeatmap', input_size=(48, 64), heatmap_size=(12, 16), sigma=1, unbiased=True, blur_kernel_size=3
        ),
    ),
    regression=dict(
        type='TokenRegHead', in_channels=16, mode='rle', decoder=dict(type='RegressionLabel', input_size=(48, 64))
    ),
)
PRUNER = dict(type='TokenPruner', keep_ratio=0.6, layers=(0, 1), cycles=(1,))


def build(head, flip_test=True, **neck):
    torch.manual_seed(0)
    model = MODELS.build(
        dict(
            type='DistillPoseEstimator',
            data_preprocessor=dict(type='mmpose.PoseDataPreprocessor', mean=[0.0] * 3, std=[1.0] * 3),
            backbone=dict(type='StemNet', stem_channels=4, num_blocks=1, init_cfg=dict(type='Kaiming', layer='Conv2d')),
            neck=dict(
                type='MultiCycledTransformer',
                in_channels=16,
                feature_size=(12, 16),
                patch_size=(3, 4),
                num_queries=5,
                dim=16,
                depth=2,
                num_heads=2,
                num_cycles=3,
                **neck,
            ),
            head=HEADS[head],
            test_cfg=dict(
                flip_test=flip_test, flip_mode='heatmap', shift_heatmap=True, output_heatmaps=head == 'heatmap'
            ),
        )
    )
    model.init_weights()
    with torch.no_grad():  # larger weights than a new model's, so that the cycles differ
        for parameter in model.neck.parameters():
            parameter.mul_(5)
    return model.eval()


def samples(count=3):
    made = []
    for number in range(count):
        sample = PoseDataSample(
            metainfo=dict(
                id=number,
                img_id=number,
                flip_indices=[0, 2, 1, 4, 3],
                input_size=(48, 64),
                input_center=np.array([50.0 + number, 60.0]),
                input_scale=np.array([90.0, 120.0]),
            )
        )
        sample.gt_instances = InstanceData(bboxes=np.array([[1.0, 2.0, 30.0, 40.0]]), bbox_scores=np.array([0.9]))
        made.append(sample)
    return made


@torch.no_grad()
def one_after_the_other(model, images):
    results = []
    for cycle in range(1, model.neck.num_cycles + 1):
        model.neck.test_cycles = cycle
        results.append(model(images, samples(), mode='predict'))
    model.neck.test_cycles = 1
    return results


@pytest.mark.parametrize('pruner', [None, PRUNER])
@pytest.mark.parametrize('flip_test', [False, True])
@pytest.mark.parametrize('head', HEADS)
def test_equals_deploying_each_cycle(head, flip_test, pruner):
    model = build(head, flip_test, pruner=pruner)
    images = torch.randn(3, 3, 64, 48)
    expected = one_after_the_other(model, images)
    given = samples()
    with torch.no_grad():
        measured = model.predict_cycles(images, given)
    assert len(measured) == 3
    for got, want in zip(measured, expected):
        for one, other in zip(got, want, strict=True):
            assert one.metainfo['id'] == other.metainfo['id']
            assert one.pred_instances.keys() == other.pred_instances.keys()
            for key in one.pred_instances.keys():
                assert np.array_equal(one.pred_instances[key], other.pred_instances[key]), key
            if head == 'heatmap':
                assert torch.equal(one.pred_fields.heatmaps, other.pred_fields.heatmaps)
    first, second = (cycle[0].pred_instances.keypoint_scores for cycle in measured[:2])
    assert not np.allclose(first, second)  # the cycles differ, so equal ones would have been noticed
    assert all('pred_instances' not in sample for sample in given)


def test_an_image_is_encoded_once(monkeypatch):
    model = build('heatmap', flip_test=False, pruner=PRUNER)
    calls = []
    for name, module in [
        ('backbone', model.backbone),
        ('tokenizer', model.neck.tokenizer),
        *(('layer', layer.attn) for layer in model.neck.layers),
    ]:
        module.register_forward_hook(lambda *_, name=name: calls.append(name))
    with torch.no_grad():
        model.predict_cycles(torch.randn(3, 3, 64, 48), samples())
    assert calls == ['backbone', 'tokenizer', *['layer'] * 2 * 3]
    assert model.neck.test_cycles == 1


@torch.no_grad()
def test_metainfo_of_the_model_replaces_that_of_the_data():
    model = build('regression')
    images, given = torch.randn(3, 3, 64, 48), samples()
    swapped = model.predict_cycles(images, given)[0][0].pred_instances.keypoints
    model.metainfo = dict(flip_indices=[0, 1, 2, 3, 4])
    assert not np.allclose(swapped, model.predict_cycles(images, given)[0][0].pred_instances.keypoints)
    assert given[0].metainfo['flip_indices'] == [0, 2, 1, 4, 3]


@pytest.mark.parametrize('cycles', [1, 2, 3])
def test_the_number_of_cycles_may_be_asked_for(cycles):
    model = build('heatmap')
    feature = model.backbone(torch.randn(1, 3, 64, 48))
    feats = model.neck(feature, cycles=cycles)
    assert len(feats.cycles) == cycles
    assert feats.deployed == 0
