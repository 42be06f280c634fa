"""Numbers per joint, group, score and box, and their spread: by pycocotools, by hand and by repetition."""

import contextlib
import copy
import io
import json
from pathlib import Path

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from report_people import SIGMAS, crowded_people, evaluation_of, person, predict, write_annotations

from sdpose.evaluation.analysis.bootstrap import draw_images, interval, resampled_aps
from sdpose.evaluation.analysis.boxes import box_recall
from sdpose.evaluation.analysis.calibration import calibrate
from sdpose.evaluation.analysis.comparison import paired_difference
from sdpose.evaluation.analysis.pairing import pair_people
from sdpose.evaluation.analysis.per_joint import PCK_THRESHOLDS, joint_aps, joint_distances, joint_pck
from sdpose.evaluation.analysis.subsets import (
    Group,
    by_crowd_index,
    by_labelled,
    by_overlap,
    by_size,
    by_truncation,
    crowd_indices,
    group_numbers,
    largest_overlaps,
)
from sdpose.evaluation.coco.numbers import coco_numbers
from sdpose.evaluation.coco.truth import load_truth
from sdpose.synthetic.styles import crowd_index


def evaluate(content: dict, results: list) -> COCOeval:
    """pycocotools' evaluation."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = content
        truth.createIndex()
        judge = COCOeval(truth, truth.loadRes(copy.deepcopy(results)), 'keypoints')
        judge.params.kpt_oks_sigmas = SIGMAS
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return judge


def test_ap_of_a_joint_is_that_of_a_file_with_no_other(tmp_path: Path) -> None:
    people, results = crowded_people(np.random.default_rng(3), 30)
    file = write_annotations(tmp_path / 'a.json', people, 30)
    aps = joint_aps(evaluation_of(file, results))
    for joint in range(17):
        content = json.loads(file.read_text())
        for each in content['annotations']:
            flags = np.zeros(17)
            flags[joint] = each['keypoints'][3 * joint + 2]
            each['keypoints'][2::3] = flags.tolist()
            each['num_keypoints'] = int((flags > 0).sum())
        assert aps[joint] == pytest.approx(evaluate(content, results).stats[0], abs=1e-12)
    assert len(set(aps.tolist())) == 17


def test_joint_that_nobody_has(tmp_path: Path) -> None:
    people = [person(1, (10, 10)), person(2, (10, 10))]
    for each in people:
        each['keypoints'][2] = 0
    evaluation = evaluation_of(write_annotations(tmp_path / 'a.json', people), predict(people))
    pairs, _ = pair_people(evaluation)
    assert joint_aps(evaluation).tolist() == [-1] + [1] * 16
    assert np.isnan(joint_pck(evaluation, pairs, joint_distances(evaluation, pairs))[:, 0]).all()


def test_pck_by_hand(tmp_path: Path) -> None:
    """Boxes of 200 pixels: 10 pixels are 0.05 of the side. One person of three has no prediction."""
    people = [person(1, (10, 10)), person(2, (10, 10)), person(3, (10, 10))]

    def move(number: int, joints: np.ndarray) -> None:
        joints[0, 0] += 10 + 2 * number
        joints[1, 1] += 7

    evaluation = evaluation_of(write_annotations(tmp_path / 'a.json', people), predict(people[:2], move))
    pairs, _ = pair_people(evaluation)
    distances = joint_distances(evaluation, pairs)
    assert np.allclose(distances[:, :3], [[10, 7, 0], [12, 7, 0]])
    pck = joint_pck(evaluation, pairs, distances)
    at = {round(share, 2): row for share, row in zip(PCK_THRESHOLDS, pck)}
    assert np.allclose([at[0.04][0], at[0.05][0], at[0.06][0]], [0, 1 / 3, 2 / 3])
    assert np.allclose([at[0.03][1], at[0.04][1], at[0.01][2]], [0, 2 / 3, 2 / 3])


def test_resampled_images_are_as_if_they_stood_in_the_file(tmp_path: Path) -> None:
    people, results = crowded_people(np.random.default_rng(5), 12)
    file = write_annotations(tmp_path / 'a.json', people, 12)
    evaluation = evaluation_of(file, results)
    weights = draw_images(12, draws=8, seed=1)
    assert weights.shape == (8, 12) and (weights.sum(axis=1) == 12).all() and weights.max() > 1
    aps = resampled_aps(evaluation, weights)
    for number, weight in enumerate(weights):
        copies = np.repeat(np.arange(1, 13), weight).tolist()
        again, found = [], []
        for new, old in enumerate(copies, start=1):
            again += [dict(each, image_id=new) for each in people if each['image_id'] == old]
            found += [dict(each, image_id=new) for each in results if each['image_id'] == old]
        curves = evaluation_of(write_annotations(tmp_path / f'{number}.json', again, len(copies)), found).curves()
        assert np.allclose(aps[number], curves.precision[:, :, 0, 0].mean(axis=1), atol=1e-12)
    own = resampled_aps(evaluation, np.ones((1, 12), int))[0]
    assert own.mean() == pytest.approx(evaluation.ap, abs=1e-12)
    assert np.isnan(resampled_aps(evaluation, np.zeros((1, 12), int))).all()


def test_interval_by_hand() -> None:
    assert interval(np.append(np.arange(1001.0), np.nan)) == (25.0, 975.0)


def test_groups_of_size_are_the_parts_of_coco(tmp_path: Path) -> None:
    people, results = crowded_people(np.random.default_rng(6), 30)
    evaluation = evaluation_of(write_annotations(tmp_path / 'a.json', people, 30), results)
    numbers, _ = coco_numbers(evaluation.candidates, evaluation.truth, SIGMAS, use_area=True)
    oks = pair_people(evaluation)[0].of_people(len(people))[1]
    for name, low, high in (('M', 32.0**2, 96.0**2), ('L', 96.0**2, 1e10)):
        inside = (evaluation.areas >= low) & (evaluation.areas <= high)
        (found,) = group_numbers(evaluation, [Group(name, inside, (low, high))], oks)
        assert (found.ap, found.ar) == (numbers[f'AP ({name})'], numbers[f'AR ({name})'])
        assert found.people == inside.sum() and found.oks == pytest.approx(oks[inside].mean())
    groups = by_size(evaluation.areas)
    assert [group.name for group in groups][:2] == ['under 32² px', '32² to 64² px']
    assert np.array([group.people for group in groups]).sum(axis=0).tolist() == [1] * len(people)


def test_a_group_bears_the_false_predictions_beside_its_people(tmp_path: Path) -> None:
    people = [person(1, (0, 0)), person(1, (500, 0)), person(2, (0, 0))]

    def aside(number: int, joints: np.ndarray) -> None:
        joints[:, :2] = joints[::-1, :2]

    results = predict(people) + predict(people[:1], aside, score=0.99)
    evaluation = evaluation_of(write_annotations(tmp_path / 'a.json', people), results)
    oks = np.ones(3)
    groups = [Group('first', np.array([True, False, False])), Group('rest', np.array([False, True, True]))]
    first, rest = group_numbers(evaluation, groups, oks)
    assert first.ap == pytest.approx(0.5) and first.ar == rest.ar == rest.ap == 1
    assert [each.name for each in group_numbers(evaluation, [Group('none', np.zeros(3, bool))], oks)] == []


def test_groups_by_hand(tmp_path: Path) -> None:
    few = np.zeros((17, 3))
    few[:5] = [50, 60, 2]
    people = [
        person(1, (100, 100)),
        person(1, (200, 100)),  # half of each box is common: IoU 1/3
        person(1, (700, 500), keypoints=few.ravel().tolist(), num_keypoints=5),
        person(2, (800.5, 300)),  # ends half a pixel beyond the border
        person(2, (0, 0), iscrowd=1),
    ]
    truth = load_truth(write_annotations(tmp_path / 'a.json', people))
    assert largest_overlaps(truth).tolist() == pytest.approx([1 / 3, 1 / 3, 0, 0, 0])
    overlap = {group.name: group.people.tolist() for group in by_overlap(truth)}
    assert overlap['0.3 to 0.5'] == [True, True, False, False, False] and not any(overlap['over 0.5'])
    labelled = {group.name: group.people.tolist() for group in by_labelled(truth)}
    assert labelled == {
        '1–5': [False, False, True, False, False],
        '6–10': [False] * 5,
        '11–15': [False] * 5,
        '16–17': [True, True, False, True, True],
    }
    inside, cut = by_truncation(truth, np.array([[1000, 800], [1000, 800]]))
    assert cut.people.tolist() == [False, False, False, True, True] and (inside.people ^ cut.people).all()


def test_crowd_index_is_that_of_one_image(tmp_path: Path) -> None:
    people, _ = crowded_people(np.random.default_rng(8), 20)
    truth = load_truth(write_annotations(tmp_path / 'a.json', people, 20))
    one_by_one = [crowd_index([each for each in people if each['image_id'] == image]) for image in range(1, 21)]
    assert np.allclose(crowd_indices(truth), one_by_one) and max(one_by_one) > 0.8 > min(one_by_one)
    groups = by_crowd_index(truth)
    assert [int(group.images.sum()) for group in groups] == [
        sum(index < 0.2 for index in one_by_one),
        sum(0.2 <= index < 0.8 for index in one_by_one),
        sum(index >= 0.8 for index in one_by_one),
    ]


def test_calibration_by_hand() -> None:
    scores, values = np.array([0.05, 0.07, 0.95, 1.0]), np.array([0.0, 0.2, 0.5, 0.9])
    found = calibrate(scores, values)
    assert np.allclose(found.scores, [0.06, 0.975]) and np.allclose(found.values, [0.1, 0.7])
    assert found.counts.tolist() == [2, 2] and found.error == pytest.approx((2 * 0.04 + 2 * 0.275) / 4)
    assert found.correlation == pytest.approx(1)
    logits = calibrate(scores * 20 - 4, values)
    assert np.isnan(logits.error) and logits.correlation == pytest.approx(1) and logits.counts.sum() == 4
    assert np.isnan(calibrate(np.full(3, 0.5), values[:3]).correlation)
    assert np.isnan(calibrate(np.zeros(0), np.zeros(0)).error)


def test_recall_of_boxes_by_hand(tmp_path: Path) -> None:
    people = [person(1, (0, 0)), person(2, (0, 0)), person(2, (500, 0)), person(3, (0, 0), iscrowd=1)]
    truth = load_truth(write_annotations(tmp_path / 'a.json', people))
    # Moved by 20 of 200: IoU 180 / 220 = 0.82; by 60: 140 / 260 = 0.54.
    boxes, images = np.array([[60.0, 0, 200, 200], [20, 0, 200, 200], [0, 0, 9, 9]]), np.array([2, 1, 2])
    ignored = truth.ignored(False)
    assert [box_recall(truth, ignored, images, boxes, iou) for iou in (0.5, 0.75, 0.9)] == [2 / 3, 1 / 3, 0]


def test_paired_difference_by_hand() -> None:
    one, other = np.array([0.9, 0.5, 0.7, 0.0]), np.array([0.8, 0.6, 0.695, 0.0])
    weights = np.tile([1, 1], (50, 1))
    found = paired_difference(one, other, np.array([0, 0, 1, 1]), weights)
    assert (found.people, found.better, found.worse) == (4, 1, 1) and found.low is found.high is None
    assert found.mean == pytest.approx(0.005 / 4)
    image = np.arange(12)
    gained = np.linspace(0, 1.1, 12)
    weights = draw_images(12, draws=400)
    found = paired_difference(gained, np.zeros(12), image, weights)
    low, high = np.percentile(weights @ gained / 12, [2.5, 97.5])
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high)) and found.low < found.mean < found.high
