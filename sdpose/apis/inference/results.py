"""The people that were found in a picture or a frame, and the forms in which they are written."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sdpose.structures import SIGMAS, VISIBILITY

_COUNTED = 0.2  # joints with a lower score do not count in the score of a person, as in MMPose's CocoMetric


@dataclass
class PoseResult:
    """The people of one picture, or of one frame; N of them, with K joints each.

    Attributes:
        name: The file of a picture, or what the frame is called.
        index: Its place among the inputs, or the number of the frame, from 0.
        image_size: (w, h) in pixels.
        boxes: (N, 4), left, top, right, bottom in pixels.
        box_scores: (N,), of the detector; 1 for boxes that were given.
        keypoints: (N, K, 2), x and y in pixels.
        keypoint_scores: (N, K).
        image_id: COCO's id of the picture, where a detection file gives it.
        track_ids: (N,), who is the same person in several frames, from 0; None without tracking.
        image: (H, W, 3), the picture; only in what :meth:`PoseInferencer.stream` yields.
        keypoint_visibility: (N, K), the probability that a joint can be seen; None where the model does not tell.
        keypoint_sigmas: (N, K, 2), how large the error of a joint is along x and y, in pixels, as a regression model
            has learned it; None where the model does not tell.
    """

    name: str
    index: int
    image_size: tuple[int, int]
    boxes: np.ndarray
    box_scores: np.ndarray
    keypoints: np.ndarray
    keypoint_scores: np.ndarray
    image_id: int | None = None
    track_ids: np.ndarray | None = None
    image: np.ndarray | None = None
    keypoint_visibility: np.ndarray | None = None
    keypoint_sigmas: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.keypoints)

    @property
    def scores(self) -> np.ndarray:
        """(N,): box score times the mean score of the joints that are seen, as ``CocoMetric`` scores people."""
        seen = self.keypoint_scores > _COUNTED
        total = np.where(seen, self.keypoint_scores, 0).sum(axis=1)
        return self.box_scores * total / np.maximum(seen.sum(axis=1), 1)

    def beside(self) -> dict[str, np.ndarray]:
        """What is known of joints beside places and scores, by its name."""
        values = {name: getattr(self, name) for name in (VISIBILITY, SIGMAS)}
        return {name: each for name, each in values.items() if each is not None}

    def people(self) -> np.ndarray:
        """(N, K, 3): x, y and score of every joint."""
        return np.concatenate([self.keypoints, self.keypoint_scores[..., None]], axis=-1)

    def instances(self) -> list[dict[str, Any]]:
        """The people as MMPose's inferencers write them, with ``track_id`` and what is beside where it is known."""
        people = [
            dict(keypoints=joints, keypoint_scores=scores, bbox=[box], bbox_score=score)
            for joints, scores, box, score in zip(
                self.keypoints.tolist(), self.keypoint_scores.tolist(), self.boxes.tolist(), self.box_scores.tolist()
            )
        ]
        for person, track in zip(people, () if self.track_ids is None else self.track_ids.tolist()):
            person['track_id'] = track
        for name, values in self.beside().items():
            for person, each in zip(people, values.tolist()):
                person[name] = each
        return people

    def as_json(self) -> dict[str, Any]:
        """All but the pixels as plain values, from which :meth:`from_json` makes an equal result."""
        return dict(
            name=self.name,
            index=self.index,
            image_size=list(self.image_size),
            image_id=self.image_id,
            boxes=self.boxes.tolist(),
            box_scores=self.box_scores.tolist(),
            keypoints=self.keypoints.tolist(),
            keypoint_scores=self.keypoint_scores.tolist(),
            track_ids=None if self.track_ids is None else self.track_ids.tolist(),
            **{name: values.tolist() for name, values in self.beside().items()},
        )

    @classmethod
    def from_json(cls, content: dict[str, Any], num_joints: int) -> 'PoseResult':
        """A result of what :meth:`as_json` returned.

        Args:
            content: The plain values.
            num_joints: K.
        """
        tracks = content['track_ids']
        shapes = {VISIBILITY: (-1, num_joints), SIGMAS: (-1, num_joints, 2)}
        return cls(
            name=content['name'],
            index=content['index'],
            image_size=tuple(content['image_size']),
            image_id=content['image_id'],
            boxes=np.array(content['boxes'], np.float32).reshape(-1, 4),
            box_scores=np.array(content['box_scores'], np.float32),
            keypoints=np.array(content['keypoints'], np.float32).reshape(-1, num_joints, 2),
            keypoint_scores=np.array(content['keypoint_scores'], np.float32).reshape(-1, num_joints),
            track_ids=None if tracks is None else np.array(tracks, int),
            **{name: np.array(content[name], np.float32).reshape(shapes[name]) for name in shapes if name in content},
        )


def coco_results(results: Sequence[PoseResult]) -> list[dict[str, Any]]:
    """People as COCO's key point results, which pycocotools reads; ``file_name`` is beside them.

    A picture's id is that of the detection file, or the number that is its name, as in COCO; where neither is there for
    every picture, all are counted from 1. ``keypoint_visibility`` (K numbers) and ``keypoint_sigmas`` (2 K) are there
    where the model tells them.
    """
    ids = [result.image_id if result.image_id is not None else number_of(result.name) for result in results]
    known = None not in ids and len(set(ids)) == len(ids)
    return [
        dict(
            image_id=number if known else result.index + 1,
            category_id=1,
            keypoints=joints.ravel().tolist(),
            score=score,
            bbox=[*box[:2], box[2] - box[0], box[3] - box[1]],
            file_name=result.name,
            **{name: values[place].ravel().tolist() for name, values in result.beside().items()},
        )
        for number, result in zip(ids, results)
        for place, (joints, score, box) in enumerate(
            zip(result.people(), result.scores.tolist(), result.boxes.tolist())
        )
    ]


def number_of(name: str) -> int | None:
    """The number that a file's name is, as ``000000000785.jpg``; None for any other name."""
    stem = name.replace('\\', '/').rpartition('/')[2].partition('.')[0]
    return int(stem) if stem.isascii() and stem.isdigit() else None


def arrays(results: Sequence[PoseResult], joints: Sequence[str]) -> dict[str, np.ndarray]:
    """All people of all pictures in arrays of M rows, as an NPZ file holds them.

    Args:
        results: Of all pictures.
        joints: The names of the joints.

    Returns:
        ``names`` of the pictures and ``joints``; by row ``image`` (the place in ``names``), ``frame`` (the picture's
        index), ``keypoints`` (M, K, 2), ``keypoint_scores`` (M, K), ``boxes`` (M, 4), ``box_scores`` (M,), and
        ``track_ids`` (M,), -1 without tracking; ``keypoint_visibility`` (M, K) and ``keypoint_sigmas`` (M, K, 2) where
        the model tells them.
    """
    count = len(joints)
    empty = dict(boxes=(0, 4), box_scores=(0,), keypoints=(0, count, 2), keypoint_scores=(0, count))
    told = {name for result in results for name in result.beside()}
    beside: dict[str, tuple[int, ...]] = {VISIBILITY: (0, count), SIGMAS: (0, count, 2)}
    empty.update({name: shape for name, shape in beside.items() if name in told})
    stacked = {
        name: np.concatenate([np.empty(shape, np.float32), *(getattr(result, name) for result in results)])
        for name, shape in empty.items()
    }
    people = [len(result) for result in results]
    tracks = [np.full(len(each), -1) if each.track_ids is None else each.track_ids for each in results]
    return dict(
        names=np.array([result.name for result in results], str),
        joints=np.array(joints, str),
        image=np.repeat(np.arange(len(results)), people),
        frame=np.repeat(np.array([result.index for result in results], int), people),
        track_ids=np.concatenate([np.empty(0, int), *tracks]),
        **stacked,
    )
