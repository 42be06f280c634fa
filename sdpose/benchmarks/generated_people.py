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


def write_training_file(file: str | Path, images: int, people: int) -> list[str]:
    """Write sound annotations of all of COCO's fields, as large in the file as COCO's: with polygons of 30 points.

    Args:
        file: The annotation file.
        images: How many.
        people: How many, of whom four in seven have labelled joints.

    Returns:
        The file names of the images, which are 640 pixels wide and 480 high.
    """
    rng = np.random.default_rng(0)
    ids = rng.permutation(5 * images)[:images] + 1
    names = [f'{number:012d}.jpg' for number in ids.tolist()]
    address = 'http://images.cocodataset.org/train2017/'
    entries = [
        dict(license=3, file_name=name, coco_url=address + name, height=480, width=640, flickr_url=address, id=number)
        for number, name in zip(ids.tolist(), names)
    ]
    # Of so many kinds, since a new one takes as long as reading it.
    kinds = [json.dumps(_training_person(rng, labelled=number % 7 < 4))[1:-1] for number in range(700)]
    owners = ids[rng.integers(0, images, people)].tolist()
    annotations = ', '.join(
        f'{{{kinds[number % 700]}, "image_id": {owner}, "id": {number + 1}}}' for number, owner in enumerate(owners)
    )
    kind = dict(id=1, name='person', supercategory='person')
    Path(file).write_text(
        f'{{"images": {json.dumps(entries)}, "annotations": [{annotations}], "categories": {json.dumps([kind])}}}'
    )
    return names


def _training_person(rng: np.random.Generator, labelled: bool) -> dict[str, Any]:
    """What an annotation has beside its ids."""
    corner, size = rng.integers((0, 0), (300, 200)), rng.uniform((20, 40), (300, 260)).round(2)
    joints = np.column_stack([rng.integers(corner + 1, corner + size, (17, 2)), rng.integers(0, 3, 17)])
    joints *= (joints[:, 2:] > 0) & labelled
    polygon = (rng.uniform(size=(30, 2)) * size + corner).round(2)
    return dict(
        segmentation=[polygon.ravel().tolist()],
        num_keypoints=int((joints[:, 2] > 0).sum()),
        area=round(float(size.prod()) * 0.6, 4),
        iscrowd=0,
        keypoints=joints.ravel().tolist(),
        bbox=[*corner.tolist(), *size.tolist()],
        category_id=1,
    )


def write_training_images(folder: str | Path, names: list[str]) -> None:
    """Write files that begin as pictures of 640 x 480 pixels do, and have no more."""
    import cv2

    beginning = cv2.imencode('.png', np.zeros((480, 640), np.uint8))[1].tobytes()[:64]
    Path(folder).mkdir()
    for name in names:
        (Path(folder) / name).write_bytes(beginning)
