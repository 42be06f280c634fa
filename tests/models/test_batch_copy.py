"""Batches go to the device in few copies, and are those of MMPose's preprocessor, to the last bit."""

import pytest
import torch
from mmengine.structures import InstanceData, PixelData
from mmpose.models.data_preprocessors import PoseDataPreprocessor
from mmpose.structures import PoseDataSample

from sdpose.models.data_preprocessors import HeatmapDataPreprocessor
from sdpose.models.data_preprocessors.batch_copy import copy_images, copy_samples
from sdpose.structures import ClassSample, HeatmapPlan

NORMAL = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True)
PLAN = HeatmapPlan((6, 8), 2.0, True)


def batch(sizes=((32, 24),) * 3, joints=True):
    generator = torch.Generator().manual_seed(0)
    samples = []
    for _ in sizes:
        sample = PoseDataSample(metainfo=dict(img_id=len(samples)))
        labels = dict(keypoint_weights=torch.rand(1, 4, generator=generator))
        if joints:
            labels.update(heatmap_joints=6 * torch.rand(1, 4, 2, generator=generator), heatmap_plan=[PLAN])
        else:
            sample.gt_fields = PixelData(heatmaps=torch.rand(4, 8, 6, generator=generator))
        sample.gt_instance_labels = InstanceData(**labels)
        samples.append(sample)
    images = [torch.randint(256, (3, *size), dtype=torch.uint8, generator=generator) for size in sizes]
    return dict(inputs=images, data_samples=samples)


@pytest.mark.parametrize('options', [NORMAL, {}, dict(NORMAL, bgr_to_rgb=False), dict(NORMAL, pad_size_divisor=5)])
@pytest.mark.parametrize('stacked', [False, True])
def test_images_and_labels_are_those_of_mmpose(options, stacked):
    data = batch(joints=False)
    if stacked:
        data['inputs'] = torch.stack(data['inputs'])
    ours, theirs = (kind(**options)(data, training=True) for kind in (HeatmapDataPreprocessor, PoseDataPreprocessor))
    assert torch.equal(ours['inputs'], theirs['inputs']) and ours['inputs'].dtype == torch.float32
    for one, other in zip(ours['data_samples'], theirs['data_samples'], strict=True):
        assert one.batch_input_shape == other.batch_input_shape == one.pad_shape or 'pad_size_divisor' in options
        # Of a stacked batch MMPose 1.3.2 takes (3, H) for (H, W).
        assert one.metainfo == other.metainfo or stacked
        assert torch.equal(one.gt_fields.heatmaps, other.gt_fields.heatmaps)
        assert torch.equal(one.gt_instance_labels.keypoint_weights, other.gt_instance_labels.keypoint_weights)


def test_images_of_two_sizes_are_padded_as_ever():
    data = batch(((32, 24), (30, 24)))
    assert HeatmapDataPreprocessor(**NORMAL)(data)['inputs'].shape == (2, 3, 32, 24)


def test_gray_images_are_refused_as_ever():
    data = batch()
    data['inputs'] = [image[:1] for image in data['inputs']]
    with pytest.raises((AssertionError, IndexError)):
        HeatmapDataPreprocessor(**NORMAL)(data)


def test_what_a_batch_is_made_of_stays_as_it_is():
    data = batch()
    before = data['inputs'][0].clone()
    made = HeatmapDataPreprocessor(**NORMAL)(data, training=True)['data_samples']
    assert torch.equal(data['inputs'][0], before)
    assert 'gt_fields' not in data['data_samples'][0] and 'pad_shape' not in data['data_samples'][0].metainfo_keys()
    assert made[0].gt_fields.heatmaps.shape == (4, 8, 6) and made[1].img_id == 1


def test_few_copies_and_none_is_waited_for(monkeypatch):
    calls = []
    original = torch.Tensor.to
    monkeypatch.setattr(
        torch.Tensor, 'to', lambda self, *args, **kwargs: calls.append(kwargs) or original(self, *args, **kwargs)
    )
    device = torch.device('meta')
    data = batch(((32, 24),) * 64)
    images = copy_images(data['inputs'], device, True)
    samples = copy_samples(data['data_samples'], device, True)
    assert images.device == device and images.shape == (64, 3, 32, 24) and images.dtype == torch.uint8
    assert calls == [dict(non_blocking=True)] * 2  # weights and joints, of all 64 samples
    assert {
        each.gt_instance_labels[key].device for each in samples for key in ('keypoint_weights', 'heatmap_joints')
    } == {device}
    assert data['data_samples'][0].gt_instance_labels.keypoint_weights.device.type == 'cpu'


def test_labels_of_classes_and_of_several_shapes():
    samples = [ClassSample(gt_label=torch.tensor(number)) for number in (3, 5)]
    assert [each.gt_label.item() for each in copy_samples(samples, torch.device('cpu'), True)] == [3, 5]
    uneven = [PoseDataSample() for _ in range(2)]
    for count, sample in enumerate(uneven, start=1):
        sample.gt_instances = InstanceData(bbox_scores=torch.arange(float(count)))
    copied = copy_samples(uneven, torch.device('cpu'), True)
    assert [each.gt_instances.bbox_scores.tolist() for each in copied] == [[0.0], [0.0, 1.0]]
