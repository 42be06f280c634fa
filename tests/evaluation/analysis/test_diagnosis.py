"""Results that do not fit: what is wrong with them is found, and nothing is where nothing is wrong."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from report_people import MIRRORED, crowded_people, evaluation_of, person, predict, write_annotations

from sdpose.evaluation.analysis.diagnosis import Remedy, find_remedy

SIZES = np.tile([1000.0, 800.0], (8, 1))


def remedy(tmp_path: Path, change: Callable | None) -> tuple[Remedy | None, float]:
    people = [person(1 + number // 2, (20.0 + 300 * (number % 2), 30.0 + 9 * number)) for number in range(16)]
    for number, each in enumerate(people):
        joints = np.reshape(each['keypoints'], (-1, 3))
        joints[[number % 17, (number + 3) % 17]] = 0
        each['keypoints'] = joints.ravel().tolist()
    whole = [person(1 + number // 2, (20.0 + 300 * (number % 2), 30.0 + 9 * number)) for number in range(16)]
    evaluation = evaluation_of(write_annotations(tmp_path / 'a.json', people), predict(whole, change))
    return find_remedy(evaluation, SIZES), evaluation.ap


@pytest.mark.parametrize('order', [MIRRORED, np.roll(np.arange(17), 5), np.random.default_rng(0).permutation(17)])
def test_joints_in_another_order(tmp_path: Path, order: np.ndarray) -> None:
    def shuffle(number: int, joints: np.ndarray) -> None:
        joints[:] = joints[order]

    found, before = remedy(tmp_path, shuffle)
    # Predicted joint i is annotated joint order[i]: the one to read for joint j is where order has j.
    assert found.name == 'joints' and found.order.tolist() == np.argsort(order).tolist()
    assert before < 0.1 and found.ap == 1


def test_other_forms_of_coordinates(tmp_path: Path) -> None:
    def exchange(number: int, joints: np.ndarray) -> None:
        joints[:, :2] = joints[:, 1::-1]

    def divide(number: int, joints: np.ndarray) -> None:
        joints[:, :2] /= (1000, 800)

    for change, name in ((exchange, 'x and y'), (divide, 'fractions')):
        found, before = remedy(tmp_path, change)
        assert (found.name, found.ap, found.order) == (name, 1, None) and before == 0


def test_what_fits_has_no_remedy(tmp_path: Path) -> None:
    assert remedy(tmp_path, None) == (None, 1)
    for seed in range(4):
        people, results = crowded_people(np.random.default_rng(seed), 8)
        evaluation = evaluation_of(write_annotations(tmp_path / f'{seed}.json', people, 8), results)
        assert find_remedy(evaluation, SIZES) is None
