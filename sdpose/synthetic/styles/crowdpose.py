"""CrowdPose's annotations: 14 joints, the crowd index of each picture, and a file of detected boxes.

Format: the files that MMPose distributes for CrowdPose (Li et al., CVPR 2019), whose names are kept, so that a config
for the real data set runs on a drawn one with another ``data_root``.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sdpose.synthetic.detections import simulate_detections
from sdpose.synthetic.people.annotate import Annotation
from sdpose.synthetic.people.skeleton import CROWDPOSE_14

from .base import Described, Entry, Picture
from .coco import CocoStyle

_NAMES = (
    'left_shoulder',
    'right_shoulder',
    'left_elbow',
    'right_elbow',
    'left_wrist',
    'right_wrist',
    'left_hip',
    'right_hip',
    'left_knee',
    'right_knee',
    'left_ankle',
    'right_ankle',
    'head',
    'neck',
)
_LIMBS = (
    (10, 8),
    (8, 6),
    (11, 9),
    (9, 7),
    (6, 7),
    (0, 6),
    (1, 7),
    (0, 1),
    (0, 2),
    (1, 3),
    (2, 4),
    (3, 5),
    (12, 13),
    (1, 13),
    (0, 13),
)
_BODY = 12
"""The data set counts a person's labelled joints without head and neck, which come last."""


def crowd_index(people: Sequence[Entry]) -> float:
    """How crowded a picture is: the mean over its labelled people of (joints of others in the box) / (own joints).

    Only labelled joints count. The two pictures of MMPose's sample annotations give their published values.

    Args:
        people: Annotations with ``bbox`` (x, y, width, height) and ``keypoints``.

    Returns:
        0 for a picture without labelled people; not bounded by 1.
    """
    joints = [np.reshape(person['keypoints'], (-1, 3)) for person in people]
    ratios = []
    for number, person in enumerate(people):
        own = int((joints[number][:, 2] > 0).sum())
        if own:
            others = np.concatenate([np.zeros((0, 3)), *joints[:number], *joints[number + 1 :]])
            ratios.append(_count_inside(others, person['bbox']) / own)
    return float(np.mean(ratios)) if ratios else 0.0


def _count_inside(joints: np.ndarray, box: Sequence[float]) -> int:
    """Labelled joints (n, 3) inside a box, its border included."""
    x, y, width, height = box
    across = (joints[:, 0] >= x) & (joints[:, 0] <= x + width)
    return int((across & (joints[:, 1] >= y) & (joints[:, 1] <= y + height) & (joints[:, 2] > 0)).sum())


class CrowdPoseStyle(CocoStyle):
    """One JSON per split and a detector's boxes for the held-out one; all pictures in one folder."""

    joints = CROWDPOSE_14
    limbs = _LIMBS
    names = _NAMES
    level = 'crowd'
    folders = dict(train='images', val='images')
    files = dict(
        train=('annotations/mmpose_crowdpose_trainval.json',),
        val=('annotations/mmpose_crowdpose_test.json', 'annotations/det_for_crowd_test_0.1_0.5.json'),
    )

    def describe(self, picture: Picture, people: Sequence[Annotation]) -> Described:
        """COCO's entries, with the crowd index, rounded to two digits as the data set has it."""
        image, persons = super().describe(picture, people)
        return dict(image, crowdIndex=round(crowd_index(persons), 2)), persons

    def write(self, folder: Path, split: str, info: Entry, described: Sequence[Described]) -> None:
        """Annotations, and boxes as a detector would find them."""
        super().write(folder, split, info, described)
        for file in self.files[split][1:]:
            boxes = [box for image, persons in described for box in simulate_detections(image, persons)]
            (folder / file).write_text(json.dumps(boxes, separators=(',', ':')), encoding='utf-8')

    def _person(self, annotation: Annotation, image_id: int) -> Entry:
        person = super()._person(annotation, image_id)
        del person['area']  # the data set has none
        return dict(person, num_keypoints=sum(flag > 0 for flag in person['keypoints'][2 : 3 * _BODY : 3]))
