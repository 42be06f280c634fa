"""The COCO base config spells the 0.x augmentation: its order, and its half-body rule."""

from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from scipy.stats import norm

import sdpose  # noqa: F401
from sdpose.datasets.transforms import ClippedNormalBBoxTransform

_UPPER, _LOWER = list(range(11)), list(range(11, 17))


@pytest.fixture(scope='module')
def pipeline(repo_root: Path) -> list:
    return Config.fromfile(repo_root / 'configs/_base_/datasets/coco_256x192.py').train_pipeline


def _sample(visible: list) -> dict:
    flags = np.zeros((1, 17), np.float32)
    flags[0, visible] = 1
    keypoints = np.stack([np.arange(17), np.arange(17) * 2], 1)[None].astype(np.float32)
    return dict(
        keypoints=keypoints,
        keypoints_visible=flags,
        upper_body_ids=_UPPER,
        lower_body_ids=_LOWER,
        bbox_center=np.float32([[500, 500]]),
        bbox_scale=np.float32([[80, 80]]),
    )


def test_the_shift_comes_before_half_body_and_size_after(pipeline: list) -> None:
    kinds = [step['type'] for step in pipeline]
    shift, rest = [number for number, kind in enumerate(kinds) if kind == 'ClippedNormalBBoxTransform']
    assert shift < kinds.index('ContiguousFlip') < kinds.index('RandomHalfBody') < rest < kinds.index('TopdownAffine')
    first, second = (
        ClippedNormalBBoxTransform(**{k: v for k, v in pipeline[number].items() if k != 'type'})
        for number in (shift, rest)
    )
    assert (first.shift_factor, first.shift_prob, first.scale_factor, first.rotate_prob) == (0.16, 0.3, 0, 0)
    assert (second.shift_prob, second.scale_factor, second.rotate_factor, second.rotate_prob) == (0, 0.35, 45, 0.6)
    assert first.aspect_ratio == 192 / 256


def _half_body(pipeline: list, visible: list, count: int = 3000) -> list:
    """What RandomHalfBody does to a sample: 'none', 'upper' or 'lower', drawn many times."""
    from mmpose.registry import TRANSFORMS

    transform = TRANSFORMS.build(next(step for step in pipeline if step['type'] == 'RandomHalfBody'))
    np.random.seed(1)
    centers = [transform.transform(_sample(visible))['bbox_center'][0, 0] for _ in range(count)]
    upper = np.mean([joint for joint in visible if joint in _UPPER])
    return ['none' if center == 500 else 'upper' if center == np.float32(upper) else 'lower' for center in centers]


def test_half_body_follows_the_recipe(pipeline: list) -> None:
    drawn = _half_body(pipeline, list(range(17)))
    assert abs(1 - drawn.count('none') / 3000 - 0.3) < 0.034  # four standard errors
    chosen = [half for half in drawn if half != 'none']
    assert abs(chosen.count('upper') / len(chosen) - norm.cdf(0.5)) < 4 * np.sqrt(0.21 / len(chosen))


def test_half_body_needs_more_than_eight_joints_and_three_in_the_lower_half(pipeline: list) -> None:
    assert set(_half_body(pipeline, list(range(8)))) == {'none'}
    assert set(_half_body(pipeline, [0, 1, 2, 3, 4, 5, 6, 11, 12])) == {'none', 'upper'}
    assert set(_half_body(pipeline, [0, 1, 2, 3, 4, 5, 11, 12, 13])) == {'none', 'upper', 'lower'}


def test_one_base_changes_the_random_boxes_to_mmpose(repo_root: Path, pipeline: list) -> None:
    cfg = Config.fromfile(repo_root / 'configs/_base_/datasets/coco_256x192_mmpose-boxes.py')
    kinds = [step['type'] for step in cfg.train_dataloader.dataset.pipeline]
    assert 'ClippedNormalBBoxTransform' not in kinds
    assert kinds.count('RejectionBBoxTransform') == 1
    assert cfg.train_dataloader.dataset.pipeline[-2].encoder == pipeline[-2].encoder
    assert cfg.train_dataloader.dataset.ann_file == 'annotations/person_keypoints_train2017.json'
