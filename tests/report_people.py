"""People, annotated and predicted, whose errors are known: for the tests of the report."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from sdpose.evaluation.analysis.evaluation import Evaluation
from sdpose.evaluation.coco.matching import choose_candidates
from sdpose.evaluation.coco.predictions import Predictions, spans
from sdpose.evaluation.coco.truth import load_truth

METAINFO = parse_pose_metainfo(dict(from_file='configs/_base_/datasets/coco.py'))
SIGMAS, MIRRORED = np.asarray(METAINFO['sigmas'], float), np.asarray(METAINFO['flip_indices'])
NAMES = list(METAINFO['keypoint_name2id'])
# Far from one another in units of every sigma, so that no joint is like another by chance.
LAYOUT = np.array([[place % 5 * 0.25, place // 5 * 0.33] for place in range(17)])


def person(image: int, corner: tuple[float, float], side: float = 200.0, **fields: Any) -> dict[str, Any]:
    """An annotated person, all joints labelled, in a square box."""
    joints = np.column_stack([LAYOUT * side + corner, np.full(17, 2)])
    return {
        'image_id': image,
        'category_id': 1,
        'bbox': [*corner, side, side],
        'area': side * side / 2,
        'iscrowd': 0,
        'keypoints': joints.ravel().tolist(),
        'num_keypoints': 17,
        **fields,
    }


def write_annotations(file: Path, people: list[dict[str, Any]], images: int = 0, **image: Any) -> Path:
    """A COCO file of people and of images 1 to ``images``, or as many as they are in."""
    count = images or max(each['image_id'] for each in people)
    entries = [
        dict(dict(id=number, file_name=f'{number:012d}.jpg', width=1000, height=800), **image)
        for number in range(1, count + 1)
    ]
    annotations = [dict(each, id=number) for number, each in enumerate(people, start=1)]
    categories = [dict(id=1, name='person', keypoints=NAMES)]
    file.write_text(json.dumps(dict(images=entries, annotations=annotations, categories=categories)))
    return file


def predict(people: list[dict[str, Any]], change: Callable | None = None, score: float = 0.9) -> list[dict[str, Any]]:
    """Results that are right, or changed by ``change(number, joints)`` in place; scores fall from person to person."""
    results = []
    for number, each in enumerate(people):
        joints = np.reshape(each['keypoints'], (-1, 3)).astype(float)
        joints[:, 2] = 0.8
        if change is not None:
            change(number, joints)
        results.append(
            dict(
                image_id=each['image_id'],
                category_id=1,
                keypoints=joints.ravel().tolist(),
                score=score - 0.001 * number,
                bbox=each['bbox'],
            )
        )
    return results


def evaluation_of(file: Path, results: list[dict[str, Any]]) -> Evaluation:
    """COCO's evaluation of results."""
    truth = load_truth(file)
    flat = np.array([each['keypoints'] for each in results], float).reshape(len(results), -1, 3)
    number = np.arange(len(results))
    scores = np.array([each['score'] for each in results], float)
    images = np.array([each['image_id'] for each in results], int)
    joints = flat[..., :2]
    people = Predictions(
        number, images, number, np.ones(len(results), int), joints, flat[..., 2], None, scores, spans(joints)
    )
    candidates = choose_candidates(people, scores, truth)
    return Evaluation(candidates, truth, truth.areas(True), truth.ignored(False), SIGMAS)


def crowded_people(rng: np.random.Generator, images: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Annotated people who overlap, some of their joints unlabelled, and predictions with errors of every size."""
    people, results = [], []
    for image in range(1, images + 1):
        own = [
            person(image, tuple(rng.uniform(0, 150, 2)), float(rng.uniform(40, 220))) for _ in range(rng.integers(1, 5))
        ]
        for each in own:
            joints = np.reshape(each['keypoints'], (-1, 3))
            joints[rng.random(17) < 0.3] = 0
            joints[rng.integers(17)] = [10, 20, 2]
            each.update(keypoints=joints.ravel().tolist(), num_keypoints=int((joints[:, 2] > 0).sum()))
        people += own
        for each in predict(own)[: rng.integers(0, 6)]:
            joints = np.reshape(each['keypoints'], (-1, 3))
            joints[:, :2] = _spread(rng, joints, own)
            results.append(dict(each, keypoints=joints.ravel().tolist(), score=float(rng.random())))
    return people, results


def _spread(rng: np.random.Generator, joints: np.ndarray, people: list[dict[str, Any]]) -> np.ndarray:
    """Joints as they are, moved, mirrored, or those of somebody else."""
    places = joints[:, :2].copy()
    other = np.reshape(people[rng.integers(len(people))]['keypoints'], (-1, 3))[:, :2]
    what = rng.random(17)
    places[what < 0.2] = places[MIRRORED][what < 0.2]
    places[what > 0.8] = other[what > 0.8]
    return places + rng.normal(0, 1, places.shape) * rng.choice([0.5, 4, 15], (17, 1))
