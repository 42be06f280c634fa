"""What is odd about the people of a data set as a whole."""

import numpy as np
import pytest

from sdpose.preflight.odd_sets import remarks_on_sets
from sdpose.preflight.people import People


def crowd(count: int = 12, joints: int = 3, size: tuple[int, int] = (640, 480)) -> People:
    """People all over pictures of their own."""
    rng = np.random.default_rng(0)
    low = rng.uniform(0, 0.5, (count, 2)) * size
    extent = rng.uniform(0.2, 0.5, (count, 2)) * size
    return People(
        ids=list(range(count)),
        boxes=np.hstack([low, extent]),
        joints=low[:, None] + rng.uniform(0, 1, (count, joints, 2)) * extent[:, None],
        labelled=np.ones((count, joints), bool),
        weights=np.ones((count, joints)),
        drawn=True,
        sizes=np.full((count, 2), size, float),
        pictures=np.arange(count),
    )


def test_sound_people_are_passed_over() -> None:
    assert remarks_on_sets(crowd(), 'a.json') == []
    close = crowd(size=(150, 120))  # no larger than what percent would fill
    assert remarks_on_sets(close, 'a.json') == []


@pytest.mark.parametrize('scale, unit', [(100, 'percent'), (1000, 'thousandths')])
def test_numbers_in_percent(scale: int, unit: str) -> None:
    people = crowd(size=(12 * scale, 9 * scale))
    shrunk = np.array([scale / (12 * scale), scale / (9 * scale)])
    people.boxes *= np.tile(shrunk, 2)
    people.joints *= shrunk
    (remark,) = remarks_on_sets(people, 'a.json')
    assert remark.startswith('a.json: 12 of 12 annotations lie within') and unit in remark


def test_repeated_people_and_far_joints() -> None:
    people = crowd()
    people.boxes[1], people.joints[1], people.pictures[1] = people.boxes[0], people.joints[0], people.pictures[0]
    people.joints[5, 1] = (1e9, 3)
    repeats, far = remarks_on_sets(people, 'a.json')
    assert '1 of 12 annotations repeat another one of their picture' in repeats and 'ids 0 and 1' in repeats
    assert '(first: id 5, at 1e+09)' in far
    people.labelled[:] = False
    assert remarks_on_sets(people, 'a.json') == []


def test_the_same_numbers_on_another_picture_are_another_person() -> None:
    people = crowd()
    people.boxes[1], people.joints[1] = people.boxes[0], people.joints[0]
    assert remarks_on_sets(people, 'a.json') == []
    people.pictures[1] = people.pictures[0]
    people.joints[1, 0] += 1
    assert remarks_on_sets(people, 'a.json') == []
