"""MediaPipe's landmark model (BlazePose, full) as a teacher: 33 places on the body of a person in a box.

A square around the person, its upward side towards the head, goes in; beside the 33 landmarks, the middle of the hips
and a point on the circle around the whole person come out, and say where to look more closely: each person is looked
at twice, the second time in the circle. See Bazarevsky et al., BlazePose, arXiv:2006.10204.

Shapes: N people, L = 33 landmarks.
"""

from typing import NamedTuple

import cv2
import numpy as np
from mmpose.evaluation.functional import oks_nms

from sdpose.apis.inference.mediapipe_model import load_mediapipe_model

FILE = 'mediapipe/modules/pose_landmark/pose_landmark_full.tflite'
_SIDE = 256
_POINTS, _PRESENCE = (195,), (1,)  # outputs: 39 x (x, y, z, visible, there); whether there is a person
_HIPS, _RIM = 33, 34  # behind the landmarks
_MARGIN = 1.25  # of the square, in diameters of the circle
_SAME, _SPREAD = 0.7, 0.1  # similarity from which on two are one person, and its scale
LANDMARKS = (
    *('nose', 'left_eye_inner', 'left_eye', 'left_eye_outer', 'right_eye_inner', 'right_eye', 'right_eye_outer'),
    *('left_ear', 'right_ear', 'mouth_left', 'mouth_right', 'left_shoulder', 'right_shoulder', 'left_elbow'),
    *('right_elbow', 'left_wrist', 'right_wrist', 'left_pinky', 'right_pinky', 'left_index', 'right_index'),
    *('left_thumb', 'right_thumb', 'left_hip', 'right_hip', 'left_knee', 'right_knee', 'left_ankle', 'right_ankle'),
    *('left_heel', 'right_heel', 'left_foot_index', 'right_foot_index'),
)
LIMBS = (
    *(('left_ankle', 'left_knee'), ('left_knee', 'left_hip'), ('right_ankle', 'right_knee')),
    *(('right_knee', 'right_hip'), ('left_hip', 'right_hip'), ('left_shoulder', 'left_hip')),
    *(('right_shoulder', 'right_hip'), ('left_shoulder', 'right_shoulder'), ('left_shoulder', 'left_elbow')),
    *(('right_shoulder', 'right_elbow'), ('left_elbow', 'left_wrist'), ('right_elbow', 'right_wrist')),
    *(('left_eye', 'right_eye'), ('nose', 'left_eye'), ('nose', 'right_eye'), ('left_eye', 'left_ear')),
    *(('right_eye', 'right_ear'), ('left_ear', 'left_shoulder'), ('right_ear', 'right_shoulder')),
    *(('left_ankle', 'left_heel'), ('left_heel', 'left_foot_index'), ('right_ankle', 'right_heel')),
    ('right_heel', 'right_foot_index'),
)


class TaughtPerson(NamedTuple):
    """A person as a teacher sees it.

    Attributes:
        places: (L, 2) of its landmarks in pixels of the picture, guessed where they are hidden or outside.
        visible: (L,), how likely each is visible.
        there: (L,), how likely each lies within what was looked at, hidden or not.
        score: How likely there is a person.
    """

    places: np.ndarray
    visible: np.ndarray
    there: np.ndarray
    score: float


class BlazePose:
    """The teacher.

    Args:
        file: The ``.tflite`` file, or a wheel that holds it; None for that of an installed mediapipe.

    Attributes:
        names: Of the landmarks.

    Raises:
        UserError: If the file or what runs it is missing.
    """

    names = LANDMARKS

    def __init__(self, file: str | None = None) -> None:
        self._model, self._input, self._outputs = load_mediapipe_model(FILE, file, '--teacher', {_POINTS, _PRESENCE})

    def __call__(self, image: np.ndarray, boxes: np.ndarray) -> list[TaughtPerson]:
        """The people in boxes, the surest first; of several that are one, the surest.

        Args:
            image: (H, W, 3), uint8, blue, green, red.
            boxes: (N, 4): left, top, right, bottom in pixels.
        """
        people = [self._look_twice(image, box) for box in np.asarray(boxes, float).reshape(-1, 4)]
        if not people:
            return []
        shown = [
            dict(
                keypoints=np.column_stack([each.places, np.ones(len(LANDMARKS))]),
                score=each.score,
                area=float(np.ptp(each.places, axis=0).prod()),
            )
            for each in people
        ]
        return [people[place] for place in oks_nms(shown, _SAME, np.full(len(LANDMARKS), _SPREAD))]

    def _look_twice(self, image: np.ndarray, box: np.ndarray) -> TaughtPerson:
        center, length = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]).max()
        _, points = self._look(image, center, np.array([0.0, -length / 2]))
        person, _ = self._look(image, points[_HIPS], points[_RIM] - points[_HIPS])
        return person

    def _look(self, image: np.ndarray, center: np.ndarray, up: np.ndarray) -> tuple[TaughtPerson, np.ndarray]:
        """The person in the circle around a place (2,) that reaches as far as a vector (2,), and all 39 places."""
        matrix = _square(center, up)
        crop = cv2.warpAffine(image, matrix, (_SIDE, _SIDE), flags=cv2.INTER_LINEAR)
        self._model.set_tensor(self._input, crop[None, ..., ::-1].astype(np.float32) / 255)
        self._model.invoke()
        points = self._model.get_tensor(self._outputs[_POINTS]).reshape(-1, 5).astype(float)
        back = cv2.invertAffineTransform(matrix)
        places = points[:, :2] @ back[:, :2].T + back[:, 2]
        visible, there = 1 / (1 + np.exp(-np.clip(points[: len(LANDMARKS), 3:], -80, 80))).T
        score = float(self._model.get_tensor(self._outputs[_PRESENCE]).item())
        return TaughtPerson(places[: len(LANDMARKS)], visible, there, score), places


def _square(center: np.ndarray, up: np.ndarray) -> np.ndarray:
    """The matrix (2, 3) from a picture to a square whose upper side lies in a direction (2,), its radius."""
    radius = max(float(np.linalg.norm(up)), 1.0)
    scale = _SIDE / (2 * _MARGIN * radius)
    sine, cosine = (scale / radius * up * (1, -1)).tolist()  # of the angle from upright, clockwise
    turn = np.array([[cosine, sine], [-sine, cosine]])
    return np.column_stack([turn, _SIDE / 2 - turn @ center])
