"""The quick steps of the training loader: MMPose's samples for the same draws, MMPose's distribution of draws."""

import mmpose.datasets.transforms as theirs
import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope
from mmpose.codecs import MSRAHeatmap
from mmpose.models.data_preprocessors import PoseDataPreprocessor
from scipy.stats import ks_2samp

from sdpose.datasets.transforms import DeferredTarget, PackTrainingInputs, RejectionBBoxTransform, WindowedAffine
from sdpose.models.data_preprocessors import HeatmapDataPreprocessor

_DRAWS = 20000
_CODEC = dict(type='MSRAHeatmap', input_size=(48, 64), heatmap_size=(12, 16), sigma=2, unbiased=True)


def _sample(seed: int, joints: int = 17) -> dict:
    rng = np.random.default_rng(seed)
    visible = (rng.random((1, joints)) < 0.8).astype(np.float32)
    return dict(
        img=rng.integers(0, 256, (61, 80, 3), np.uint8),
        img_shape=(61, 80),
        ori_shape=(61, 80),
        bbox=np.float32([[10, 5, 60, 55]]),
        bbox_center=np.float32([[35, 30]]),
        bbox_scale=np.float32([[60, 70]]),
        keypoints=rng.uniform(-30, 110, (1, joints, 2)).astype(np.float32),
        keypoints_visible=visible,
        flip_indices=list(range(joints))[::-1],
        raw_ann_info=dict(segmentation=[[1.0] * 100]),
        id=seed,
    )


@pytest.mark.parametrize('use_udp', [False, True])
@pytest.mark.parametrize('direction', ['horizontal', 'vertical', 'diagonal'])
def test_a_windowed_crop_is_mmposes_bit_for_bit(direction: str, use_udp: bool) -> None:
    results = []
    for kind in (WindowedAffine, theirs.TopdownAffine):
        np.random.seed(3)
        flip, crop, made = theirs.RandomFlip(prob=0.5, direction=direction), kind((24, 32), use_udp), []
        for seed in range(60):
            sample = flip.transform(_sample(seed))
            rng = np.random.default_rng(seed)
            sample['bbox_center'] = rng.uniform(-40, 120, (1, 2)).astype(np.float32)  # some boxes lie outside
            sample['bbox_scale'] = np.exp(rng.uniform(1, 5, (1, 2))).astype(np.float32)
            if seed % 3:
                kind_of_turn = np.float32 if seed % 2 else np.float64
                sample['bbox_rotation'] = rng.uniform(-180, 180, 1).astype(kind_of_turn)
            made.append(crop.transform(sample))
        results.append(made)
    assert {sample['flip'] for sample in results[0]} == {True, False}
    assert sum(not sample['img'].any() for sample in results[0]) < 30
    for ours, reference in zip(*results):
        assert ours.keys() == reference.keys()
        for key in ('img', 'bbox_scale', 'transformed_keypoints', 'input_center', 'input_scale', 'input_size'):
            np.testing.assert_array_equal(ours[key], reference[key])
            assert np.asarray(ours[key]).dtype == np.asarray(reference[key]).dtype


def test_what_has_no_window_is_mmposes() -> None:
    for change in (dict(channels=1), dict(keypoints=None), dict(kind=np.float64), dict(kind=np.int16)):
        made = []
        for kind in (WindowedAffine, theirs.TopdownAffine):
            sample = _sample(1)
            sample['img'] = sample['img'][..., : change.get('channels', 3)].astype(change.get('kind', np.uint8))
            sample['keypoints'] = change.get('keypoints', sample['keypoints'])
            made.append(kind((24, 32)).transform(sample))
        np.testing.assert_array_equal(made[0]['img'], made[1]['img'])
        np.testing.assert_array_equal(made[0]['transformed_keypoints'], made[1]['transformed_keypoints'])


def test_random_boxes_have_mmposes_distribution() -> None:
    np.random.seed(1)
    drawn = []
    for kind in (RejectionBBoxTransform, theirs.RandomBBoxTransform):
        transform = kind(scale_factor=(0.65, 1.35), rotate_factor=90.0)  # MMPose holds it by a weak reference
        shift, size, turn = transform._get_transform_params(_DRAWS)
        drawn.append(np.hstack([shift, size, turn[:, None]]))  # (n, 4)
    for ours, reference in zip(*(each.T for each in drawn)):
        center = 1 if reference.min() > 0.5 else 0
        spread = reference.std()
        assert abs(ours.mean() - reference.mean()) < 5 * spread * np.sqrt(2 / _DRAWS)
        for power in (2, 4):
            moments = [((each - center) ** power).mean() for each in (ours, reference)]
            np.testing.assert_allclose(*moments, rtol=0.05)
        assert np.abs(ours - center).max() <= np.abs(reference - center).max() * 1.001
        assert ks_2samp(ours, reference).pvalue > 1e-3
        moved = [each[each != center] for each in (ours, reference)]
        quantiles = [np.quantile(each, np.linspace(0.02, 0.98, 25)) for each in moved]
        np.testing.assert_allclose(*quantiles, atol=0.1 * moved[1].std())
        assert ((ours == center).mean() > 0.3) == ((reference == center).mean() > 0.3)


def test_the_last_deviate_of_an_empty_shape_and_of_a_bare_number() -> None:
    assert RejectionBBoxTransform._truncnorm(size=()).shape == ()
    assert RejectionBBoxTransform._truncnorm(size=(0, 4)).shape == (0, 4)
    values = RejectionBBoxTransform._truncnorm(-0.1, 0.2, (500, 2))
    assert values.dtype == np.float32 and -0.1 <= values.min() < values.max() <= 0.2


def _targets(step: type, pack: type, preprocessor: type, codec: dict, samples: list[dict], **options) -> list:
    init_default_scope('mmpose')
    make, last = step(encoder=codec, **options), pack()
    batch = [last.transform(make.transform(dict(sample, input_size=(48, 64)))) for sample in samples]
    model = preprocessor(mean=[120.0] * 3, std=[60.0] * 3, bgr_to_rgb=True)
    return model(
        dict(inputs=[each['inputs'] for each in batch], data_samples=[each['data_samples'] for each in batch]), True
    )


@pytest.mark.parametrize(
    'change',
    [{}, dict(unbiased=False), dict(unbiased=False, sigma=1.5), dict(sigma=1.5), dict(heatmap_size=(48, 64))],
    ids=str,
)
@pytest.mark.parametrize('weighted, pack', [(False, PackTrainingInputs), (True, theirs.PackPoseInputs)])
def test_targets_of_a_batch_are_the_codecs(change: dict, weighted: bool, pack: type) -> None:
    samples = [_sample(seed) for seed in range(20)]
    samples[3]['keypoints_visible'][:] = 0  # nobody to be seen
    samples[4]['keypoints'][:] = 1e5
    samples[5]['keypoints_visible'] = np.stack([samples[5]['keypoints_visible']] * 2, axis=-1)  # as MMPose loads COCO
    edges = np.float32(
        [[-24.1, 0], [-24, 5], [-28, 5], [71.9, 63.9], [72, 3], [5, 88], [5, 87.9], [1.99, 2.01], [-1, -1]]
    )
    samples[6]['keypoints'][0, :9], samples[6]['keypoints_visible'][0, :9] = edges, 1
    for sample in samples:
        sample['dataset_keypoint_weights'] = np.linspace(1, 1.5, 17, dtype=np.float32)
    codec = dict(_CODEC, **change)
    ours = _targets(
        DeferredTarget, pack, HeatmapDataPreprocessor, codec, samples, use_dataset_keypoint_weights=weighted
    )
    reference = _targets(
        theirs.GenerateTarget,
        theirs.PackPoseInputs,
        PoseDataPreprocessor,
        codec,
        samples,
        use_dataset_keypoint_weights=weighted,
    )
    torch.testing.assert_close(ours['inputs'], reference['inputs'], rtol=0, atol=0)
    for one, other in zip(ours['data_samples'], reference['data_samples']):
        weights = [each.gt_instance_labels.keypoint_weights for each in (one, other)]
        torch.testing.assert_close(*weights, rtol=0, atol=0)
        maps = [each.gt_fields.heatmaps for each in (one, other)]
        assert maps[0].dtype == torch.float32 and maps[0].shape == maps[1].shape
        torch.testing.assert_close(*maps, rtol=0, atol=1e-6)


def test_what_cannot_wait_is_encoded_in_the_loader() -> None:
    init_default_scope('mmpose')
    samples = [_sample(0)]
    for codec in (
        dict(type='UDPHeatmap', input_size=(48, 64), heatmap_size=(12, 16), sigma=2),
        dict(_CODEC, sigma=1.5, unbiased=False),
    ):
        made = DeferredTarget(encoder=codec).transform(dict(samples[0]))
        assert made['heatmaps'].shape == (17, 16, 12) and 'heatmap_plan' not in made
    labels = DeferredTarget(encoder=dict(type='RegressionLabel', input_size=(48, 64))).transform(dict(samples[0]))
    assert labels['keypoint_labels'].shape == (1, 17, 2)
    assert isinstance(DeferredTarget(encoder=_CODEC).encoder.codec, MSRAHeatmap)


def test_a_packed_sample_is_mmposes_without_the_raw_annotation_and_small() -> None:
    init_default_scope('mmpose')
    codec = dict(_CODEC, input_size=(192, 256), heatmap_size=(48, 64))
    sample = dict(_sample(0), img=np.zeros((256, 192, 3), np.uint8))
    ours = PackTrainingInputs().transform(DeferredTarget(encoder=codec).transform(dict(sample)))
    full = theirs.PackPoseInputs().transform(theirs.GenerateTarget(encoder=codec).transform(dict(sample)))
    assert ours['inputs'].is_contiguous() and ours['inputs'].dtype == torch.uint8
    assert 'raw_ann_info' not in ours['data_samples'].metainfo and ours['data_samples'].id == 0

    def sent(packed: dict) -> int:
        sample = packed['data_samples']
        parts = [sample.gt_instance_labels, *([sample.gt_fields] if 'gt_fields' in sample else [])]
        tensors = [packed['inputs'], *(value for part in parts for value in part.values() if torch.is_tensor(value))]
        return sum(each.nbytes for each in tensors)

    assert sent(ours) <= 0.45 * sent(full)


def test_a_sample_of_several_images_is_packed_by_mmpose() -> None:
    init_default_scope('mmpose')
    packed = PackTrainingInputs().transform(dict(_sample(0), img=[np.zeros((8, 6, 3), np.uint8)] * 2))
    assert packed['inputs'].shape == (2, 3, 8, 6)
