"""MPII's annotations: 16 joints, rough centre and scale instead of a box, head boxes in a MATLAB file.

Format: the JSON files and ``mpii_gt_val.mat`` that MMPose distributes for MPII (Andriluka et al., CVPR 2014). Their
names are kept, so that a config for the real data set runs on a drawn one with another ``data_root``. Coordinates count
pixels from 1, as in MATLAB.
"""

import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.io import savemat

from sdpose.synthetic.people.annotate import Annotation
from sdpose.synthetic.people.skeleton import MPII_16

from .base import Described, Entry, Picture, Style

_LIMBS = (
    (0, 1),
    (1, 2),
    (2, 6),
    (6, 3),
    (3, 4),
    (4, 5),
    (6, 7),
    (7, 8),
    (8, 9),
    (10, 11),
    (11, 12),
    (12, 8),
    (8, 13),
    (13, 14),
    (14, 15),
)
_UNIT = 200
"""Pixels of stature at scale 1."""
_MAT_TEXT = 116
"""Bytes of free text at the start of a MATLAB file; SciPy writes the date there."""


class MpiiStyle(Style):
    """One JSON per split, the head boxes of the held-out one, and the same people without labels as a test split."""

    joints = MPII_16
    limbs = _LIMBS
    folders = dict(train='images', val='images')
    files = dict(
        train=('annotations/mpii_train.json',),
        val=('annotations/mpii_val.json', 'annotations/mpii_gt_val.mat', 'annotations/mpii_test.json'),
    )

    def describe(self, picture: Picture, people: Sequence[Annotation]) -> Described:
        """One entry per person with labelled joints; the data set leaves all others out."""
        image = dict(id=picture.id, file_name=picture.file_name)
        return image, [
            self._person(person, picture.file_name)
            for person in people
            if (person.joints[list(self.joints), 2] > 0).any()
        ]

    def write(self, folder: Path, split: str, info: Entry, described: Sequence[Described]) -> None:
        """Annotations, and for the held-out split the head boxes in their order, and centres and scales alone."""
        people = [dict(person) for _, group in described for person in group]
        heads = [person.pop('head_box') for person in people]
        _write_json(folder / self.files[split][0], people)
        for file in self.files[split][1:]:
            if file.endswith('.mat'):
                (folder / file).write_bytes(_ground_truth(people, heads))
            else:
                _write_json(
                    folder / file, [{key: person[key] for key in ('image', 'center', 'scale')} for person in people]
                )

    def drawable(self, person: Entry) -> list[float]:
        """The joints, counted from 0; MPII does not tell covered from visible ones."""
        return [
            value
            for (x, y), seen in zip(person['joints'], person['joints_vis'], strict=True)
            for value in (x - 1, y - 1, 2 * seen)
        ]

    def _person(self, annotation: Annotation, file_name: str) -> Entry:
        joints = annotation.joints[list(self.joints)].tolist()
        return dict(
            joints_vis=[int(flag > 0) for _, _, flag in joints],
            joints=[[round(x + 1, 2), round(y + 1, 2)] if flag else [-1.0, -1.0] for x, y, flag in joints],
            image=file_name,
            scale=round(annotation.stature / _UNIT, 6),
            center=[round(value + 1, 1) for value in annotation.middle],
            head_box=[round(value + 1, 2) for value in annotation.head_box],
        )


def _write_json(path: Path, people: list[Entry]) -> None:
    path.write_text(json.dumps(people, separators=(',', ':')), encoding='utf-8')


def _ground_truth(people: Sequence[Entry], heads: Sequence[Sequence[float]]) -> bytes:
    """The file ``mpii_gt_val.mat``: joints (16, 2, N), missing ones (16, N), corners of the head boxes (2, 2, N)."""
    joints = np.array([person['joints'] for person in people], float).reshape(-1, len(MPII_16), 2)
    seen = np.array([person['joints_vis'] for person in people], float).reshape(-1, len(MPII_16))
    file = io.BytesIO()
    savemat(
        file,
        dict(
            jnt_missing=1 - seen.T,
            pos_gt_src=joints.transpose(1, 2, 0),
            headboxes_src=np.array(heads, float).reshape(-1, 2, 2).transpose(1, 2, 0),
        ),
    )
    text = b'MATLAB 5.0 MAT-file, synthetic people drawn by SDPose'
    return text.ljust(_MAT_TEXT) + file.getvalue()[_MAT_TEXT:]
