"""A flip test as one batch of both views gives what one view after the other gives."""

import numpy as np
import pytest
import torch
from mmpose.models.pose_estimators import TopdownPoseEstimator
from test_predict_cycles import HEADS, PRUNER, build, samples

from sdpose.models.estimators.flip_views import extract_views
from sdpose.models.halting import Halting, predict_halting


def predicted(model, images, way, together):
    model.test_cfg['flip_together'] = together
    with torch.no_grad():
        if way == 'cycles':
            return [sample for cycle in model.predict_cycles(images, samples()) for sample in cycle]
        if way == 'halting':
            return [*predict_halting(model, images, samples(), Halting((0.5,))).samples[0]]
        return model(images, samples(), mode='predict')


@pytest.mark.parametrize('pruner', [None, PRUNER], ids=['whole', 'pruned'])
@pytest.mark.parametrize('way', ['one', 'cycles', 'halting'])
@pytest.mark.parametrize('head', HEADS)
def test_both_ways_are_one(head, way, pruner, monkeypatch):
    model = build(head, pruner=pruner)
    sizes, forward = [], type(model.backbone).forward
    monkeypatch.setattr(
        type(model.backbone), 'forward', lambda self, images: sizes.append(len(images)) or forward(self, images)
    )
    images = torch.randn(3, 3, 64, 48)
    for batch_norm in (each for each in model.modules() if isinstance(each, torch.nn.BatchNorm2d)):
        batch_norm.running_mean.normal_()
    apart = predicted(model, images, way, False)
    assert sizes == [3, 3]
    together = predicted(model, images, way, True)
    assert sizes[2:] == ([3, 3] if way == 'halting' else [6])  # people leave the batch of halting
    for one, other in zip(apart, together, strict=True):
        one, other = one.pred_instances, other.pred_instances
        assert {*one.keys()} == {*other.keys()}
        np.testing.assert_allclose(one.keypoint_scores, other.keypoint_scores, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(one.keypoints, other.keypoints, atol=1e-3)
    assert any((one.pred_instances.keypoints != apart[0].pred_instances.keypoints).any() for one in apart[1:])


def test_the_device_chooses_unless_told():
    images, seen = torch.arange(24.0).reshape(2, 3, 1, 4), []

    def extract(given):
        seen.append(len(given))
        return [given, (given * 2,)]

    expected = [images, images.flip(-1)]
    for options, sizes in ((dict(), [2, 2]), (dict(flip_together=False), [2, 2]), (dict(flip_together=True), [4])):
        seen.clear()
        views = extract_views(extract, images, dict(flip_test=True, **options))
        assert seen == sizes
        for (plain, (double,)), view in zip(views, expected, strict=True):
            assert torch.equal(plain, view) and torch.equal(double, 2 * view)
    seen.clear()
    assert len(extract_views(extract, images, {})) == 1 and seen == [2]


@pytest.mark.parametrize('kind', ['memory', 'unknown'])
def test_what_cannot_be_one_batch_is_two_from_then_on(kind):
    images, seen = torch.zeros(2, 3, 1, 4), []

    def extract(given):
        seen.append(len(given))
        if kind == 'memory' and len(given) > 2:
            raise torch.cuda.OutOfMemoryError('CUDA out of memory. Tried to allocate\nmore')
        return dict(maps=given) if kind == 'unknown' else given

    test_cfg = dict(flip_test=True, flip_together=True)
    for _ in range(2):
        assert len(extract_views(extract, images, test_cfg)) == 2
    assert seen == [4, 2, 2, 2, 2] and test_cfg['flip_together'] is False


@pytest.mark.parametrize('indices', [None, [3, 1]])
@pytest.mark.parametrize('head', HEADS)
def test_predictions_are_written_as_mmpose_writes_them(head, indices):
    model = build(head)
    model.test_cfg.update(output_heatmaps=False, output_keypoint_indices=indices)
    images = torch.randn(3, 3, 64, 48)
    with torch.no_grad():
        ours = model(images, samples(), mode='predict')
        theirs = TopdownPoseEstimator.predict(model, images, samples())
        found = model.head.predict(
            [model.extract_feat(view) for view in (images, images.flip(-1))], theirs, model.test_cfg
        )
        plain = TopdownPoseEstimator.add_pred_to_datasample(model, found, None, samples())
    for one, *others in zip(ours, theirs, plain, strict=True):
        for other in others:
            assert {*one.pred_instances.keys()} == {*other.pred_instances.keys()}
            for key in one.pred_instances.keys():
                assert one.pred_instances[key].dtype == other.pred_instances[key].dtype
                assert np.array_equal(one.pred_instances[key], other.pred_instances[key]), key
