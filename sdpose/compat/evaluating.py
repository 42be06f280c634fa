"""Annotations without key points beside those with them, in COCO's evaluation."""

from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any

_MARK = '_sdpose_compat_boxes'
_FIELDS = ('keypoints', 'foot_kpts', 'face_kpts', 'lefthand_kpts', 'righthand_kpts')


def evaluate_beside_boxes() -> None:
    """Let an annotation file hold boxes of other things, or of people nobody labelled, beside people with key points.

    Seen: xtcocotools 1.14 reads ``keypoints`` of every annotation whose category the file lists, and ends with a
    ``KeyError`` after all predictions are made, where MMPose's data sets pass over an annotation without any. In the
    evaluation such an annotation is a person without a labelled joint: COCO ignores it, and who is predicted there.
    """
    evaluation = import_module('xtcocotools.cocoeval').COCOeval
    if hasattr(evaluation, _MARK):
        return
    evaluation._prepare = _completing(evaluation._prepare)
    setattr(evaluation, _MARK, True)


def _completing(prepare: Callable) -> Callable:

    @wraps(prepare)
    def _prepare(self: Any) -> Any:
        if self.params.iouType.startswith('keypoints'):
            for ann in self.cocoGt.anns.values():
                if 'keypoints' not in ann:
                    box = ann.setdefault('bbox', [0, 0, 0, 0])
                    ann.update(dict.fromkeys(_FIELDS, []), num_keypoints=0)
                    ann.setdefault('area', box[2] * box[3])
        return prepare(self)

    return _prepare
