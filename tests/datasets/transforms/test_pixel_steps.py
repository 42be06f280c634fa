"""Blurs and holes: what they do to a crop, how often, and what they refuse."""

from typing import Any

import cv2
import numpy as np
import pytest

from sdpose.datasets.transforms import CoarseDropout, DeferredAffine, RandomBlur
from sdpose.errors import ConfigError


def _crop(height: int = 40, width: int = 30) -> dict[str, Any]:
    image = np.random.default_rng(0).integers(1, 256, (height, width, 3), np.uint8)
    return dict(img=image, input_size=(width, height))


def test_a_hole_is_one_rectangle_of_the_drawn_size() -> None:
    np.random.seed(0)
    step, heights, widths, tops, lefts = CoarseDropout(prob=1.0, low=0.2, high=0.4), [], [], [], []
    for _ in range(300):
        crop = _crop()
        before = crop['img'].copy()
        black = (step.transform(crop)['img'] == 0).all(axis=2)
        rows, columns = black.any(axis=1).nonzero()[0], black.any(axis=0).nonzero()[0]
        top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
        assert black[top:bottom, left:right].all()
        np.testing.assert_array_equal(crop['img'][~black], before[~black])
        heights.append(bottom - top), widths.append(right - left), tops.append(top), lefts.append(left)
    assert min(heights) == 8 and max(heights) == 15 and min(widths) == 6 and max(widths) == 11  # of 40 and of 30
    assert min(tops) == min(lefts) == 0  # it reaches all four sides
    assert max(np.add(tops, heights)) == 40 and max(np.add(lefts, widths)) == 30


def test_a_hole_of_the_whole_crop_and_none() -> None:
    assert not CoarseDropout(prob=1.0, low=1.0, high=1.0).transform(_crop())['img'].any()
    np.testing.assert_array_equal(CoarseDropout(prob=0.0).transform(_crop())['img'], _crop()['img'])


@pytest.mark.parametrize('step, share', [(CoarseDropout(prob=0.3), 0.3), (RandomBlur(0.2, 0.1), 1 - 0.8 * 0.9)])
def test_how_often(step: Any, share: float) -> None:
    np.random.seed(1)
    changed = np.mean([(step.transform(_crop())['img'] != _crop()['img']).any() for _ in range(3000)])
    assert abs(changed - share) < 4 * np.sqrt(share * (1 - share) / 3000)


def test_mean_and_median_by_hand() -> None:
    image = np.zeros((5, 5, 3), np.uint8)
    image[2, 2], image[2, 3] = 90, 180
    mean = RandomBlur(1.0, 0.0, sizes=(3,)).transform(dict(img=image.copy(), input_size=(5, 5)))['img'][..., 0]
    assert mean[2].tolist() == [0, 10, 30, 30, 40]  # OpenCV mirrors at the border, without the border itself
    median = RandomBlur(0.0, 1.0, sizes=(3,)).transform(dict(img=image.copy(), input_size=(5, 5)))['img']
    assert not median.any()  # two bright pixels of nine
    both = RandomBlur(1.0, 1.0, sizes=(3,)).transform(_crop())['img']
    np.testing.assert_array_equal(both, cv2.medianBlur(cv2.blur(_crop()['img'], (3, 3)), 3))


def test_every_window_is_drawn() -> None:
    np.random.seed(2)
    step = RandomBlur(1.0, 0.0)
    assert {step._draw() for _ in range(100)} == {(3, 0), (5, 0), (7, 0)}


@pytest.mark.parametrize(
    'kind, options, message',
    [
        (CoarseDropout, dict(prob=1.5), r'prob must be a probability in \[0, 1\], got 1.5'),
        (CoarseDropout, dict(low=0.5, high=0.4), 'low and high are shares of the crop .*, got 0.5 and 0.4'),
        (RandomBlur, dict(median_prob=-1), r'median_prob must be a probability in \[0, 1\], got -1'),
        (RandomBlur, dict(sizes=(4,)), r'sizes must be odd numbers of at least 3, got \(4,\)'),
    ],
)
def test_values_are_checked(kind: type, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        kind(**options)


@pytest.mark.parametrize('step', [CoarseDropout(), RandomBlur()])
def test_pictures_that_are_no_crops_yet_are_refused(step: Any) -> None:
    sample = dict(
        img=_crop()['img'],
        bbox_center=np.float32([[15, 20]]),
        bbox_scale=np.float32([[12, 16]]),
        keypoints=np.zeros((1, 17, 2), np.float32),
    )
    with pytest.raises(ConfigError, match=f'{type(step).__name__} changes .* put it behind the affine_step'):
        step.transform(dict(sample))
    with pytest.raises(ConfigError, match=f"{type(step).__name__} changes .* set affine_step='WindowedAffine'"):
        step.transform(DeferredAffine(input_size=(24, 32)).transform(sample))
