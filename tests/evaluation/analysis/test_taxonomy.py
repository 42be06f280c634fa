"""Kinds of joint errors and what they cost: against loops, and by errors whose share is known."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from report_people import MIRRORED, SIGMAS, crowded_people, evaluation_of, person, predict, write_annotations
from xtcocotools.coco import COCO
from xtcocotools.cocoeval import COCOeval

from sdpose.evaluation.analysis.evaluation import Evaluation
from sdpose.evaluation.analysis.gains import ap_without, optimal_scores
from sdpose.evaluation.analysis.pairing import joint_similarity, pair_people
from sdpose.evaluation.analysis.taxonomy import (
    GOOD,
    INVERSION,
    JITTER,
    KINDS,
    MISS,
    SWAP,
    UNLABELLED,
    corrected_joints,
    joint_errors,
)

# A wrist and an ankle of each side, and the nose.
LEFT_WRIST, RIGHT_WRIST, LEFT_ANKLE, NOSE = 9, 10, 15, 0


def by_loops(evaluation: Evaluation, predicted: int, annotated: int, joint: int) -> int:
    """The kind of one joint, as coco-analyze's words have it."""
    truth, place = evaluation.truth, evaluation.candidates.joints[predicted, joint]
    if not truth.labelled[annotated, joint]:
        return UNLABELLED
    alike = {}
    for other in np.flatnonzero(truth.group == truth.group[annotated]):
        for mirrored in (False, True):
            target = MIRRORED[joint] if mirrored else joint
            if truth.labelled[other, target]:
                away = ((place - truth.joints[other, target]) ** 2).sum()
                alike[other == annotated, mirrored, other] = np.exp(
                    -away / (2 * evaluation.areas[other] * (2 * SIGMAS[joint]) ** 2)
                )
    own = alike[True, False, annotated]
    highest = max(alike.values())
    if highest < 0.5:
        return MISS
    if own >= highest:
        return GOOD if own >= 0.85 else JITTER
    swapped = max([value for (same, *_), value in alike.items() if not same], default=-1)
    return SWAP if swapped >= highest else INVERSION


def test_kinds_are_those_of_loops(tmp_path: Path) -> None:
    seen = set()
    for seed in range(6):
        people, results = crowded_people(np.random.default_rng(seed), 5)
        evaluation = evaluation_of(write_annotations(tmp_path / f'{seed}.json', people, 5), results)
        pairs, _ = pair_people(evaluation)
        kinds = joint_errors(evaluation, pairs, MIRRORED).kind
        for row, (predicted, annotated) in enumerate(zip(pairs.predicted, pairs.annotated)):
            assert kinds[row].tolist() == [by_loops(evaluation, predicted, annotated, joint) for joint in range(17)]
        seen |= set(kinds.ravel().tolist())
    assert seen == {UNLABELLED, GOOD, JITTER, INVERSION, SWAP, MISS}


def test_pairs_are_xtcocotools_matches(tmp_path: Path) -> None:
    count = 0
    for seed in range(4):
        people, results = crowded_people(np.random.default_rng(seed), 8)
        file = write_annotations(tmp_path / f'{seed}.json', people, 8)
        evaluation = evaluation_of(file, results)
        truth = COCO(str(file))
        judge = COCOeval(truth, truth.loadRes(results), 'keypoints', SIGMAS)
        judge.params.iouThrs, judge.params.areaRng, judge.params.areaRngLbl = np.array([0.1]), [[0, 1e10]], ['all']
        judge.evaluate()
        theirs = {
            (found['image_id'], score): truth.anns[int(match)]['bbox']
            for found in judge.evalImgs
            if found
            for score, match in zip(found['dtScores'], found['dtMatches'][0])
            if match
        }
        pairs, unpaired = pair_people(evaluation)
        candidates, annotated = evaluation.candidates, evaluation.truth
        ours = {
            (int(annotated.images[candidates.group[one]]), float(candidates.scores[one])): annotated.boxes[two].tolist()
            for one, two in zip(pairs.predicted, pairs.annotated)
        }
        assert ours == theirs and len(ours) + unpaired.sum() == len(candidates.rank)
        count += len(ours)
    assert count > 20


def at_similarity(joint: int, value: float, area: float) -> float:
    """How far away a joint has a similarity."""
    return float(np.sqrt(-np.log(value) * 2 * area * (2 * SIGMAS[joint]) ** 2))


@pytest.fixture
def people() -> list:
    """Six images of two people each, 500 pixels apart."""
    return [person(1 + number // 2, (20.0 + 500 * (number % 2), 30.0)) for number in range(12)]


def test_known_errors_are_counted_and_put_right(tmp_path: Path, people: list) -> None:
    def change(number: int, joints: np.ndarray) -> None:
        """A jitter for everybody, and an inversion, a swap and a miss for a third each."""
        joints[NOSE, 0] += at_similarity(NOSE, 0.7, 20000.0)
        if number % 3 == 0:
            joints[[LEFT_WRIST, RIGHT_WRIST], :2] = joints[[RIGHT_WRIST, LEFT_WRIST], :2]
        elif number % 3 == 1:
            joints[LEFT_ANKLE, :2] = np.reshape(people[number ^ 1]['keypoints'], (-1, 3))[LEFT_ANKLE, :2]
        else:
            joints[LEFT_ANKLE, 1] += 350

    evaluation = evaluation_of(write_annotations(tmp_path / 'a.json', people), predict(people, change))
    pairs, unpaired = pair_people(evaluation)
    errors = joint_errors(evaluation, pairs, MIRRORED)
    counts = {kind: int((errors.kind == number).sum()) for number, kind in enumerate(KINDS)}
    assert counts == dict(good=12 * 17 - 28, jitter=12, inversion=8, swap=4, miss=4) and not unpaired.any()
    assert np.allclose(errors.shares()[:, NOSE], [0, 1, 0, 0, 0])
    assert np.allclose(errors.shares()[:, LEFT_ANKLE], [1 / 3, 0, 0, 1 / 3, 1 / 3])
    joints = corrected_joints(evaluation, pairs, errors, (JITTER, INVERSION, SWAP, MISS))
    after = joint_similarity(
        joints[pairs.predicted], evaluation.truth.joints[pairs.annotated], evaluation.areas[pairs.annotated], SIGMAS
    )
    wanted = np.where(errors.kind == JITTER, 0.85, np.where(errors.kind == MISS, 0.5, 1.0))
    assert np.allclose(after, wanted)
    only = corrected_joints(evaluation, pairs, errors, (MISS,))
    moved = (only != evaluation.candidates.joints).any(axis=-1)
    assert np.array_equal(moved[pairs.predicted], errors.kind == MISS)


def gains(tmp_path: Path, people: list, results: list) -> tuple[float, dict[str, float]]:
    """The AP, and what each kind would give back."""
    evaluation = evaluation_of(write_annotations(tmp_path / 'a.json', people), results)
    pairs, unpaired = pair_people(evaluation)
    found = ap_without(evaluation, pairs, unpaired, joint_errors(evaluation, pairs, MIRRORED))
    return evaluation.ap, {name: value - evaluation.ap for name, value in found.items()}


def test_inversions_alone_cost_what_there_is_to_gain(tmp_path: Path, people: list) -> None:
    def exchange(number: int, joints: np.ndarray) -> None:
        if number % 2:
            joints[:, :2] = joints[MIRRORED, :2]

    ap, found = gains(tmp_path, people, predict(people, exchange))
    # Half of the people are right, from the highest score on in turns: precision is 1, 1/2, 2/3 ... at most 7/12.
    assert ap < 0.7 and found['inversion'] == found['localisation'] == pytest.approx(1 - ap)
    assert found['jitter'] == found['swap'] == found['miss'] == 0


def test_people_of_whom_nobody_is_there_or_predicted(tmp_path: Path, people: list) -> None:
    def away(number: int, joints: np.ndarray) -> None:
        joints[:, 1] += 4000

    false = predict(people[:4], away, score=0.99)
    ap, found = gains(tmp_path, people, false + predict(people))
    assert found['background'] == pytest.approx(1 - ap) and found['missed'] == found['jitter'] == 0
    ap, found = gains(tmp_path, people, predict(people[:6]))
    # Half of the people are found: precision is 1 for the recalls 0 to 0.5, which are 51 of 101.
    assert ap == pytest.approx(51 / 101) and found['missed'] == pytest.approx(1 - ap) and found['background'] == 0


def test_scores_alone(tmp_path: Path, people: list) -> None:
    results = predict(people)
    double = predict(people, lambda _, joints: joints.__setitem__((slice(None), 0), joints[:, 0] + 30), score=0.99)
    ap, found = gains(tmp_path, people, results + double)
    assert ap < 1 and found['score'] == pytest.approx(1 - ap)


def test_optimal_scores_are_those_of_the_best_assignment(tmp_path: Path) -> None:
    for seed in range(5):
        people, results = crowded_people(np.random.default_rng(seed), 4)
        if not results:
            continue
        evaluation = evaluation_of(write_annotations(tmp_path / f'{seed}.json', people, 4), results)
        candidates, truth, scores = evaluation.candidates, evaluation.truth, optimal_scores(evaluation)
        for group in np.unique(candidates.group):
            rows, columns = np.flatnonzero(candidates.group == group), np.flatnonzero(truth.group == group)
            table = np.array([[oks(evaluation, row, column) for column in columns] for row in rows])
            size = max(table.shape)
            full = np.zeros((size, size))
            full[: len(rows), : len(columns)] = table
            best = max(full[np.arange(size), list(order)].sum() for order in itertools.permutations(range(size)))
            assert scores[rows].sum() == pytest.approx(best)


def oks(evaluation: Evaluation, predicted: int, annotated: int) -> float:
    labelled = evaluation.truth.labelled[annotated]
    away = ((evaluation.candidates.joints[predicted] - evaluation.truth.joints[annotated]) ** 2).sum(axis=1)[labelled]
    return float(np.exp(-away / (2 * evaluation.areas[annotated] * (2 * SIGMAS[labelled]) ** 2)).mean())
