"""An annotation file and predictions at any size, with all that an evaluation must get right."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

_LIMITS = (32.0**2, 96.0**2)  # areas between COCO's ranges, in square pixels


class World(NamedTuple):
    """What is generated.

    Attributes:
        images: How many; every fifth has nobody, every seventh no prediction.
        joints: Of a person.
        people: Annotated in an image with people, on average.
        detections: Predicted in an image with predictions, on average.
        crowds: Share of annotations that stand for a group.
        unlabelled: Share of people without labelled joints.
        boxes: Whether predictions have boxes, as a top-down model's have.
        seed: Of the random numbers.
    """

    images: int
    joints: int = 17
    people: float = 2.75
    detections: float = 24.3
    crowds: float = 0.02
    unlabelled: float = 0.1
    boxes: bool = True
    seed: int = 0


def generate(world: World, file: str | Path) -> list[dict[str, Any]]:
    """Write an annotation file, and give the data samples of predictions for it.

    Among them are repeated people, equal scores and similarities, areas on the limits of COCO's ranges, joints without
    a score, and crowdIndex in all of CrowdPose's thirds.

    Args:
        world: What is wanted.
        file: The annotation file.
    """
    rng = np.random.default_rng(world.seed)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    samples: list[dict[str, Any]] = []
    for number in range(1, world.images + 1):
        image = number * 7 % (7 * world.images + 1)  # not in order
        images.append(dict(id=image, width=640, height=480, crowdIndex=float(rng.integers(0, 11)) / 10))
        people = rng.poisson(world.people) if number % 5 else 0
        own = [annotation for _ in range(people) for annotation in _annotate(rng, world)]
        for annotation in own:
            annotations.append(dict(annotation, id=len(annotations) + 1, image_id=image))
        for found in _detect(rng, world, own, rng.poisson(world.detections) if number % 7 else 0):
            samples.append(dict(found, id=len(samples), img_id=image))
    content = dict(images=images, annotations=annotations, categories=[dict(id=1, name='person')])
    Path(file).write_text(json.dumps(content))
    return samples


def _annotate(rng: np.random.Generator, world: World) -> list[dict[str, Any]]:
    """One person, or one in twenty the same person twice."""
    width, height = ((rng.uniform(20, 300), rng.uniform(20, 400)), (32, 32), (96, 96), (50, 70))[rng.integers(4)]
    corner = rng.uniform((0, 0), (300, 200))
    places = np.round(rng.uniform(corner, corner + (width, height), (world.joints, 2)))
    visibility = rng.integers(0, 3, world.joints) * (rng.random() >= world.unlabelled)
    if world.joints == 14 and rng.random() < 0.1:  # all hidden: CrowdPose counts none of them
        visibility = np.minimum(visibility, 1)
    person = dict(
        category_id=1,
        bbox=[*corner.tolist(), float(width), float(height)],
        area=_LIMITS[rng.integers(2)] if rng.random() < 0.1 else float(width * height * rng.choice([0.5, 1])),
        iscrowd=int(rng.random() < world.crowds),
        keypoints=np.column_stack([places, visibility]).ravel().tolist(),
        num_keypoints=int((visibility == 2).sum() if world.joints == 14 else (visibility > 0).sum()),
    )
    return [person] * (2 if rng.random() < 0.05 else 1)


def _detect(rng: np.random.Generator, world: World, people: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """Predictions: near people at several distances, anywhere, and repeated."""
    found: list[tuple[np.ndarray, np.ndarray]] = []
    for _ in range(count):
        if found and rng.random() < 0.15:
            found.append(found[rng.integers(len(found))])
        elif people and rng.random() < 0.7:
            person = people[rng.integers(len(people))]
            box, joints = np.array(person['bbox']), np.reshape(person['keypoints'], (-1, 3))[:, :2]
            away = rng.choice([0, 0, 1, 3, 8]) * np.sqrt(box[2] * box[3]) / 100
            found.append((joints + rng.normal(0, 1, joints.shape) * away, box))
        else:
            box = np.r_[rng.uniform((0, 0), (300, 200)), rng.uniform((5, 5), (300, 400))]
            found.append((rng.uniform(box[:2], box[:2] + box[2:], (world.joints, 2)), box))
    return [_sample(rng, world, *each) for each in found]


def _sample(rng: np.random.Generator, world: World, joints: np.ndarray, box: np.ndarray) -> dict[str, Any]:
    """A data sample as a top-down model returns it."""
    scores = rng.random(world.joints) if rng.random() < 0.4 else rng.integers(0, 11, world.joints) / 10
    scores = scores * (rng.random() >= 0.03)
    corners = np.concatenate([box[:2], box[:2] + box[2:]])[None].astype(np.float32)
    found = dict(keypoints=joints[None].astype(np.float32), keypoint_scores=scores[None].astype(np.float32))
    return dict(
        pred_instances=dict(found, bboxes=corners) if world.boxes else found,
        gt_instances=dict(
            bbox_scores=np.array([rng.integers(1, 11) / 10], np.float32),
            bbox_scales=(box[None, 2:] * 1.25).astype(np.float32),
        ),
    )
