"""Random boxes follow the 0.x recipe's distributions."""

import numpy as np
import pytest
from scipy.stats import kstest, norm

from sdpose.datasets.transforms import ClippedNormalBBoxTransform

_N = 20000


def _boxes(count: int = _N) -> dict:
    return dict(
        bbox_center=np.full((count, 2), 100, np.float32),
        bbox_scale=np.tile(np.array([60, 120], np.float32), (count, 1)),
    )


def _draw(**kwargs) -> dict:
    np.random.seed(0)
    return ClippedNormalBBoxTransform(**kwargs).transform(_boxes())


def _close(observed: float, probability: float) -> None:
    """A frequency of _N draws lies within four standard errors of its probability."""
    assert abs(observed - probability) < 4 * np.sqrt(probability * (1 - probability) / _N), (observed, probability)


def test_size_is_a_clipped_normal_with_its_mass_at_the_limits() -> None:
    size = _draw()['bbox_scale'][:, 0] / 60
    np.testing.assert_allclose([size.min(), size.max()], [0.65, 1.35], rtol=1e-6)
    tail = norm.cdf(-1)  # 15.9 % on each limit: this is what a truncated normal lacks
    _close((size < 0.65001).mean(), tail)
    _close((size > 1.34999).mean(), tail)
    inner = size[(size > 0.65001) & (size < 1.34999)]
    cdf = lambda x: (norm.cdf((x - 1) / 0.35) - tail) / (1 - 2 * tail)  # noqa: E731
    assert kstest(inner, cdf).pvalue > 1e-3


def test_both_sides_get_the_same_size_factor() -> None:
    scale = _draw()['bbox_scale']
    np.testing.assert_allclose(scale[:, 1], 2 * scale[:, 0], rtol=1e-5)


def test_rotation_is_a_normal_clipped_at_twice_its_deviation() -> None:
    rotation = _draw()['bbox_rotation']
    assert rotation.shape == (_N,)
    _close((rotation == 0).mean(), 0.4)
    turned = rotation[rotation != 0]
    assert abs(turned).max() == 90
    _close((rotation == 90).mean(), 0.6 * norm.cdf(-2))
    inner = turned[abs(turned) < 90]
    cdf = lambda x: (norm.cdf(x / 45) - norm.cdf(-2)) / (1 - 2 * norm.cdf(-2))  # noqa: E731
    assert kstest(inner, cdf).pvalue > 1e-3


def test_shift_is_uniform_and_shared_by_x_and_y_in_probability_only() -> None:
    shift = (_draw()['bbox_center'] - 100) / np.array([60, 120])
    moved = (shift != 0).all(axis=1)
    assert ((shift != 0).any(axis=1) == moved).all()
    _close(moved.mean(), 0.3)
    for axis in range(2):
        assert kstest(shift[moved, axis], 'uniform', args=(-0.16, 0.32)).pvalue > 1e-3
    assert abs(np.corrcoef(shift[moved].T)[0, 1]) < 0.05


def test_shift_is_measured_on_the_box_widened_to_the_input() -> None:
    # A 60x120 box at aspect 3:4 is 90x120: x moves by up to 0.16 * 90; the box itself keeps its size.
    result = _draw(shift_prob=1, scale_factor=0, rotate_prob=0, input_size=(192, 256))
    moved = abs(result['bbox_center'] - 100).max(axis=0)
    np.testing.assert_allclose(moved, [0.16 * 90, 0.16 * 120], rtol=1e-3)
    np.testing.assert_array_equal(result['bbox_scale'], _boxes()['bbox_scale'])
    wide = dict(bbox_center=np.zeros((_N, 2), np.float32), bbox_scale=np.tile(np.float32([120, 60]), (_N, 1)))
    transform = ClippedNormalBBoxTransform(shift_prob=1, input_size=(192, 256))
    np.testing.assert_allclose(
        abs(transform.transform(wide)['bbox_center']).max(axis=0), [0.16 * 120, 0.16 * 160], rtol=1e-3
    )


def test_switched_off_halves_change_nothing_and_rotations_add_up() -> None:
    still = ClippedNormalBBoxTransform(shift_prob=0, scale_factor=0, rotate_prob=0).transform(_boxes(3))
    np.testing.assert_array_equal(still['bbox_center'], _boxes(3)['bbox_center'])
    np.testing.assert_array_equal(still['bbox_scale'], _boxes(3)['bbox_scale'])
    np.testing.assert_array_equal(still['bbox_rotation'], np.zeros(3))
    turned = ClippedNormalBBoxTransform(rotate_prob=0).transform(dict(_boxes(3), bbox_rotation=np.float32([1, 2, 3])))
    np.testing.assert_array_equal(turned['bbox_rotation'], [1, 2, 3])


def test_the_global_numpy_seed_repeats_the_draw() -> None:
    first, second = _draw(), _draw()
    for key in ('bbox_center', 'bbox_scale', 'bbox_rotation'):
        np.testing.assert_array_equal(first[key], second[key])


@pytest.mark.parametrize(
    'argument, value',
    [
        ('shift_prob', 1.5),
        ('rotate_prob', -0.1),
        ('shift_factor', -1),
        ('rotate_factor', -5),
        ('scale_factor', 1.0),
        ('input_size', (0, 4)),
    ],
)
def test_refused_arguments_are_named(argument: str, value: object) -> None:
    with pytest.raises(ValueError, match=f'{argument} must '):
        ClippedNormalBBoxTransform(**{argument: value})
