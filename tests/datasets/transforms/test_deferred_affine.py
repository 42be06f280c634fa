"""Crops that the preprocessor makes: the pixels of OpenCV's warp, and all else as if the loader had made them."""

import subprocess
import sys
from typing import Any

import mmpose.datasets.transforms as theirs
import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope

from sdpose.datasets.transforms import DeferredAffine, DeferredTarget, PackTrainingInputs, WindowedAffine
from sdpose.models.data_preprocessors import HeatmapDataPreprocessor
from sdpose.models.data_preprocessors.warp import warp

_SIZE = (24, 32)
_CODEC = dict(type='MSRAHeatmap', input_size=_SIZE, heatmap_size=(6, 8), sigma=2, unbiased=True)


def _sample(seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    height, width = (int(side) for side in rng.integers(20, 120, 2))
    return dict(
        img=rng.integers(0, 256, (height, width, 3), np.uint8),
        img_shape=(height, width),
        bbox_center=rng.uniform(-10, 130, (1, 2)).astype(np.float32),
        bbox_scale=np.exp(rng.uniform(1, 5, (1, 2))).astype(np.float32),
        bbox_rotation=rng.uniform(-180, 180, 1).astype(np.float32),
        keypoints=rng.uniform(0, 90, (1, 17, 2)).astype(np.float32),
        keypoints_visible=np.ones((1, 17), np.float32),
        flip_indices=list(range(17)),
        id=seed,
    )


def _batch(affine: type, direction: str, use_udp: bool, count: int = 40) -> dict[str, list]:
    """Packed samples behind a flip and a crop."""
    init_default_scope('mmpose')
    np.random.seed(5)
    steps = [
        theirs.RandomFlip(prob=0.5, direction=direction),
        affine(input_size=_SIZE, use_udp=use_udp),
        DeferredTarget(encoder=_CODEC),
        PackTrainingInputs(),
    ]
    made = []
    for seed in range(count):
        sample: Any = _sample(seed)
        for step in steps:
            sample = step.transform(sample)
        made.append(sample)
    return {key: [sample[key] for sample in made] for key in made[0]}


@pytest.mark.parametrize('use_udp', [False, True])
@pytest.mark.parametrize('direction', ['horizontal', 'vertical', 'diagonal'])
def test_a_batch_is_that_of_the_loaders_crops(direction: str, use_udp: bool) -> None:
    model = HeatmapDataPreprocessor(mean=[120.0, 110.0, 100.0], std=[1.0, 1.0, 1.0], bgr_to_rgb=True)
    deferred, reference = (_batch(affine, direction, use_udp) for affine in (DeferredAffine, WindowedAffine))
    assert len({image.shape for image in deferred['inputs']}) > 30  # parts of their pictures
    ours, theirs_ = (model(batch, True) for batch in (deferred, reference))
    assert ours['inputs'].shape == (40, 3, 32, 24) and ours['inputs'].dtype == torch.float32
    # OpenCV rounds to whole levels.
    assert (ours['inputs'] - theirs_['inputs']).abs().max() <= 1
    assert (theirs_['inputs'] > theirs_['inputs'].min()).any()
    assert {sample.metainfo['flip'] for sample in ours['data_samples']} == {True, False}
    for mine, other in zip(ours['data_samples'], theirs_['data_samples']):
        torch.testing.assert_close(mine.gt_fields.heatmaps, other.gt_fields.heatmaps, rtol=0, atol=0)
        assert mine.metainfo['batch_input_shape'] == other.metainfo['batch_input_shape'] == (32, 24)


def test_the_warp_by_hand() -> None:
    first = torch.tensor([[[0, 100], [50, 200]]], dtype=torch.uint8).repeat(3, 1, 1)
    second = torch.full((3, 1, 3), 40, dtype=torch.uint8)
    matrices = np.float32([[[0.5, 0, 0], [0, 1, 0]], [[1, 0, -0.5], [0, 1, 0.25]]])
    image = warp([first, second], matrices, (3, 2), torch.device('cpu'))
    # Half a pixel to the right from step to step; behind the last pixel the mix with black begins.
    torch.testing.assert_close(image[0, 0], torch.tensor([[0.0, 50, 100], [50, 125, 200]]))
    # Half a pixel left of it and a quarter below it: black counts.
    torch.testing.assert_close(image[1, 2], torch.tensor([[15.0, 30, 30], [0, 0, 0]]))


def test_autocast_leaves_coordinates_alone() -> None:
    wide = torch.zeros(3, 1, 3000, dtype=torch.uint8)
    wide[:, :, 2501] = 255
    matrix = np.float32([[[1, 0, 2499], [0, 1, 0]]])
    with torch.autocast('cpu', torch.bfloat16):
        image = warp([wide], matrix, (4, 1), torch.device('cpu'))
    assert image[0, 0].tolist() == [[0, 0, 255, 0]]


def test_a_memory_mapped_crop_is_read_in_its_window_alone() -> None:
    sample = _sample(1)
    sample.update(bbox_center=np.float32([[30, 30]]), bbox_scale=np.float32([[6, 8]]), bbox_rotation=np.float32([0]))
    sample['img'] = np.zeros((100, 100, 3), np.uint8)
    made = DeferredAffine(input_size=_SIZE).transform(sample)
    assert made['img'].shape[0] < 16 and made['img'].shape[1] < 14 and made['img'].flags.c_contiguous


def test_colours_of_a_cached_crop_are_changed_in_a_copy() -> None:
    """Where the box touches all of it, the part is the crop, which lies in the file of the cache."""
    sample = _sample(1)
    crop = sample['img'].copy()
    sample['img'].flags.writeable = False
    sample.update(bbox_center=np.float32([[30, 30]]), bbox_scale=np.float32([[400, 400]]))
    np.random.seed(0)
    made = DeferredAffine(input_size=_SIZE).transform(sample)
    assert np.array_equal(made['img'], crop)
    changed = theirs.YOLOXHSVRandomAug().transform(made)['img']
    assert changed.shape == crop.shape and not np.array_equal(changed, crop)


def test_a_view_of_a_file_is_sent_on_without_a_warning() -> None:
    """Torch warns once in a process, so in one of its own."""
    code = (
        'import numpy as np\n'
        'from sdpose.datasets.transforms import PackTrainingInputs\n'
        'image = np.zeros((4, 3, 3), np.uint8)\n'
        'image.flags.writeable = False\n'
        'packed = PackTrainingInputs()(dict(img=image, input_matrix=np.eye(2, 3)))\n'
        "print(tuple(packed['inputs'].shape))"
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ('(3, 4, 3)\n', '')
