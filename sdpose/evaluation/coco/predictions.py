"""Predicted people as arrays: taken from data samples, joined, put in order, scored and written.

Shapes: N people, K joints.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sdpose.evaluation.nothing import require_results
from sdpose.io.atomic import atomic_write
from sdpose.structures import SIGMAS, VISIBILITY

_AT_ONCE = 2000  # people whose text is in memory while a file is written


class Predictions(NamedTuple):
    """Predicted people.

    Attributes:
        sample: (N,), the number of the sample that a person is of, counted from 0 in its process.
        image: (N,), ids of images.
        person: (N,), ids of samples, by which people of an image are ordered and repeated ones are found.
        category: (N,), ids of categories.
        joints: (N, K, 2), in pixels of the picture.
        joint_scores: (N, K).
        boxes: (N, 4): left, top, width, height in pixels; None where the model predicts none.
        box_scores: (N,), the detector's.
        areas: (N,), in square pixels: of the region that was cropped, or of what the joints span.
        visibility: (N, K), the probability that a joint can be seen; None where the model predicts none.
        sigmas: (N, K, 2), of the joints' errors in pixels of the picture; None where the model predicts none.
    """

    sample: np.ndarray
    image: np.ndarray
    person: np.ndarray
    category: np.ndarray
    joints: np.ndarray
    joint_scores: np.ndarray
    boxes: np.ndarray | None
    box_scores: np.ndarray
    areas: np.ndarray
    visibility: np.ndarray | None = None
    sigmas: np.ndarray | None = None

    def take(self, which: Any) -> 'Predictions':
        """Some of the people, by their places, a mask or a slice."""
        return Predictions(*[field if field is None else field[which] for field in self])  # type: ignore[arg-type]


def from_samples(samples: Sequence[Any], first: int) -> Predictions:
    """The people of a batch, as ``CocoMetric.process`` reads them.

    Args:
        samples: Data samples as dictionaries, with ``id``, ``img_id``, ``pred_instances`` and ``gt_instances``.
        first: Number of the first sample.

    Raises:
        ValueError: If a sample has no predictions, or not one score for every joint.
    """
    if not all('pred_instances' in sample for sample in samples):
        raise ValueError('CocoMetric reads pred_instances, which a data sample lacks: the model predicted nothing')
    found = [sample['pred_instances'] for sample in samples]
    truth = [sample['gt_instances'] for sample in samples]
    joints = np.concatenate([people['keypoints'] for people in found])
    scores = np.concatenate([people['keypoint_scores'] for people in found])
    if scores.shape != joints.shape[:2]:
        raise ValueError(f'keypoint_scores have the shape {scores.shape}, keypoints {joints.shape}: one for each joint')
    counts = [len(people['keypoints']) for people in found]
    numbers = [first + place for place in range(len(samples))]
    boxes = None
    if all('bboxes' in people for people in found):
        boxes = np.concatenate([people['bboxes'] for people in found])
        boxes = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
    categories = [sample.get('category_id', 1) for sample in samples]
    per_person = [np.repeat(each, counts) for each in (numbers, _of(samples, 'img_id'))]
    per_person += [_persons(_of(samples, 'id'), numbers, counts), np.repeat(categories, counts)]
    box_scores = np.concatenate([_box_scores(*each) for each in zip(found, truth, counts)])
    areas = _areas(joints, truth, counts)
    beside = [_of_all(found, name) for name in (VISIBILITY, SIGMAS)]
    return Predictions._make([*per_person, joints, scores, boxes, box_scores, areas, *beside])


def _of_all(found: Sequence[Any], name: str) -> np.ndarray | None:
    """A field of the people of a batch, where all have it."""
    return np.concatenate([people[name] for people in found]) if all(name in people for people in found) else None


def _of(samples: Sequence[Any], key: str) -> list[Any]:
    return [sample[key] for sample in samples]


def _persons(ids: Sequence[Any], numbers: Sequence[int], counts: Sequence[int]) -> np.ndarray:
    """Ids (N,) of people: the samples', by which ``CocoMetric`` finds repeated ones.

    Where an id is a list, the sample is a whole image, whose people keep their order, and none is a repeated one.
    """
    if not any(isinstance(each, Sequence) for each in ids):
        return np.repeat(ids, counts)
    return np.concatenate([(number << 32) + np.arange(count) for number, count in zip(numbers, counts)])


def _box_scores(found: Any, truth: Any, count: int) -> np.ndarray:
    """Scores of an image's boxes: the model's own, or those of the boxes that it was given."""
    if 'bbox_scores' in found:
        return found['bbox_scores']
    if 'bbox_scores' in truth and len(truth['bbox_scores']) == count:
        return truth['bbox_scores']
    return np.ones(count)


def _areas(joints: np.ndarray, truth: Sequence[Any], counts: Sequence[int]) -> np.ndarray:
    """Areas (N,) of people: of their regions where all samples of the batch have them."""
    if all('bbox_scales' in each for each in truth):
        return np.prod(np.concatenate([each['bbox_scales'][:count] for each, count in zip(truth, counts)]), axis=1)
    return spans(joints)


def spans(joints: np.ndarray) -> np.ndarray:
    """Areas (N,) of the boxes around joints (N, K, 2), in their type."""
    sides = joints.max(axis=1) - joints.min(axis=1)
    return sides[:, 0] * sides[:, 1]


def join(parts: list[Predictions]) -> Predictions:
    """Several predictions as one; the list is emptied, and memory is given back field by field.

    Fields that a model may lack are kept where all parts have them.
    """
    if len(parts) == 1:
        return parts.pop()
    fields: list[list[Any]] = [list(field) for field in zip(*parts)]
    parts.clear()
    joined = []
    while fields:
        field = fields.pop(0)
        joined.append(None if any(part is None for part in field) else np.concatenate(field))
    return Predictions._make(joined)


def interleave(parts: Sequence[Predictions | None], counts: Sequence[int], size: int) -> Predictions:
    """The predictions of all processes in MMEngine's order: the first sample of each, the second of each, and so on.

    Args:
        parts: Of each process, first one first; None for one that had no samples.
        counts: How many samples each process had, those without people included.
        size: Samples of the data set; what a sampler repeated beyond that is dropped.

    Raises:
        DataError: If no process had samples.
    """
    dealt = []
    for rank, part in enumerate(parts):
        if part is not None:
            before = [
                np.minimum(part.sample + (other < rank), count) for other, count in enumerate(counts) if other != rank
            ]
            dealt.append(part._replace(sample=sum(before, part.sample)))
    require_results(dealt)
    people = join(dealt)
    order = np.argsort(people.sample, kind='stable')
    order = order[people.sample[order] < size]
    in_order = np.array_equal(order, np.arange(len(people.sample)))
    return people if in_order else people.take(order)


def by_image(people: Predictions) -> tuple[Predictions, np.ndarray]:
    """People in order of image (as images come first) and person, each person of an image once.

    Returns:
        The people, and where each image begins, with their number at the end.
    """
    _, first, image = np.unique(people.image, return_index=True, return_inverse=True)
    place = np.empty(len(first), int)
    place[first.argsort()] = np.arange(len(first))
    image = place[image]
    person = np.unique(people.person, return_inverse=True)[1]
    order = np.lexsort((person, image))
    image, person = image[order], person[order]
    new = np.ones(len(order), bool)
    new[1:] = (image[1:] != image[:-1]) | (person[1:] != person[:-1])
    starts = np.searchsorted(image[new], np.arange(len(first) + 1))
    return people.take(order[new]), starts


def final_scores(people: Predictions, mode: str, threshold: float) -> np.ndarray:
    """The scores (N,) by which people are ranked.

    Args:
        people: The people.
        mode: ``'bbox'``: the box's; ``'keypoint'``: the mean of the joints'; ``'bbox_rle'``: the sum of the box's, the
            joints' mean and the joints' maximum; ``'bbox_keypoint'``: the box's times the mean of the joints' above the
            threshold.
        threshold: What a joint's score must exceed.
    """
    box, joints = people.box_scores, people.joint_scores
    if mode == 'bbox':
        return box
    if mode == 'keypoint':
        return np.mean(joints, axis=1)
    if mode == 'bbox_rle':
        return (box + np.mean(joints, axis=1) + np.max(joints, axis=1)).astype(float)
    # MMPose adds joint to joint, from Python's 0 on: NumPy 2 does so in the scores' type, NumPy 1 in float64.
    kind = (joints.dtype.type(0) + 0).dtype
    total, number = np.zeros(len(joints), kind), np.zeros(len(joints), int)
    for joint in joints.T:
        high = joint > threshold
        total[high] += joint[high]
        number += high
    total = np.divide(total, number, out=total, where=number > 0, casting='same_kind')
    return box * total


def write_results(path: str | Path, people: Predictions, scores: np.ndarray) -> None:
    """Write people as a list in COCO's format of results, one on each line, with the boxes that MMPose adds to it.

    Where the model predicts them, ``keypoint_visibility`` (K numbers) and ``keypoint_sigmas`` (2 K: along x and y, in
    pixels) stand beside; COCO's tools read past such keys.

    Args:
        path: The JSON file.
        people: The people.
        scores: (N,), theirs.
    """
    with atomic_write(path, 'w') as file:
        file.write('[')
        for start in range(0, len(scores), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            lines = _lines(people.take(part), scores[part].astype(float).tolist())
            file.write((',\n' if start else '\n') + ',\n'.join(lines))
        file.write('\n]\n')


def _lines(people: Predictions, scores: list[float]) -> list[str]:
    """The entries of a result file."""
    joints = np.concatenate([people.joints, people.joint_scores[..., None]], axis=-1)
    columns: dict[str, list] = {} if people.boxes is None else dict(bbox=people.boxes.tolist())
    beside = {VISIBILITY: people.visibility, SIGMAS: people.sigmas}
    columns.update({name: each.reshape(len(joints), -1).tolist() for name, each in beside.items() if each is not None})
    columns.update(
        category_id=people.category.tolist(),
        image_id=people.image.tolist(),
        keypoints=joints.reshape(len(joints), -1).tolist(),
        score=scores,
    )
    encode: Callable[[Any], str] = json.JSONEncoder().encode
    return [encode(dict(zip(columns, values))) for values in zip(*columns.values())]
