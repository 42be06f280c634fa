"""Who is the same person in the next frame, by the overlap of boxes, and where to look between two detections."""

import numpy as np
import torch
from mmpose.structures.bbox import bbox_overlaps
from scipy.optimize import linear_sum_assignment

from .results import PoseResult

_MARGIN = 0.15  # of the extent of the joints, on each side: a person is larger


class Tracker:
    """Numbers people over the frames of a video.

    Args:
        least_overlap: Boxes of two frames that overlap less (IoU) are two people.
        least_score: Joints with a lower score do not tell where the person will be; somebody whose joints have a lower
            mean score is lost until the next detection.
    """

    def __init__(self, least_overlap: float = 0.3, least_score: float = 0.3) -> None:
        self.least_overlap, self.least_score = least_overlap, least_score
        self._boxes = np.empty((0, 4), np.float32)
        self._ids = np.empty(0, int)
        self._next = 0

    def number(self, boxes: np.ndarray) -> np.ndarray:
        """The numbers (N,) of people in boxes (N, 4) of the next frame; one who is new gets a new one."""
        ids = np.full(len(boxes), -1)
        overlap = bbox_overlaps(torch.from_numpy(boxes), torch.from_numpy(self._boxes)).numpy()  # (N, M), IoU
        for row, column in zip(*linear_sum_assignment(-overlap)):
            if overlap[row, column] >= self.least_overlap:
                ids[row] = self._ids[column]
        new = ids < 0
        ids[new] = self._next + np.arange(new.sum())
        self.keep(boxes, ids)
        return ids

    def keep(self, boxes: np.ndarray, ids: np.ndarray) -> None:
        """Take boxes (N, 4) with their numbers (N,) for those of the last frame."""
        self._boxes, self._ids = boxes, ids
        self._next = max([self._next - 1, *ids.tolist()]) + 1

    def follow(self, result: PoseResult) -> None:
        """Take the joints of a frame, which tell where its people are in the next one."""
        assert result.track_ids is not None
        kept, boxes = [], []
        width, height = result.image_size
        for place, (joints, scores) in enumerate(zip(result.keypoints, result.keypoint_scores)):
            seen = joints[(scores >= self.least_score) & np.isfinite(joints).all(axis=1)]
            if len(seen) < 2 or scores.mean() < self.least_score:
                continue
            begin, end = seen.min(axis=0), seen.max(axis=0)
            margin = _MARGIN * (end - begin)
            begin, end = (np.clip(each, 0, (width, height)) for each in (begin - margin, end + margin))
            if (end - begin >= 1).all():
                kept.append(place)
                boxes.append([*begin, *end])
        self.keep(np.array(boxes, np.float32).reshape(-1, 4), result.track_ids[kept])

    def expected(self) -> tuple[np.ndarray, np.ndarray]:
        """Where the people of the last frame are expected in the next one, (N, 4), and their numbers (N,)."""
        return self._boxes, self._ids
