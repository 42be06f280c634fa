"""How far around a person the steps of a training pipeline may read: the region of a picture that a crop must hold.

Shapes: C boxes that a pipeline may end with (the whole body, its upper and its lower half).
"""

from collections.abc import Sequence
from math import inf, radians
from typing import Any, NamedTuple

import numpy as np
from mmcv.transforms import BaseTransform
from mmpose.datasets.transforms import (
    GetBBoxCenterScale,
    KeypointConverter,
    RandomBBoxTransform,
    RandomFlip,
    RandomHalfBody,
    TopdownAffine,
)
from mmpose.registry import TRANSFORMS

from sdpose.datasets.transforms.clipped_normal_bbox import ClippedNormalBBoxTransform
from sdpose.datasets.transforms.zero_based_keypoints import ZeroBasedKeypoints
from sdpose.errors import ConfigError

_FIXED = (GetBBoxCenterScale, KeypointConverter, ZeroBasedKeypoints)  # neither pixels nor chance
_RIM = 2  # pixels that bilinear sampling and rounding may reach beyond
_KNOWN = (*_FIXED, RandomFlip, RandomHalfBody, RandomBBoxTransform, ClippedNormalBBoxTransform)


class Region(NamedTuple):
    """A rectangle of whole pixels, which may lie in part outside its picture."""

    left: int
    top: int
    right: int
    bottom: int


class Reach:
    """What the steps between loading and cropping may make of a person's box.

    Args:
        steps: A training pipeline's configs, the loading step first.

    Raises:
        ConfigError: If there is no ``TopdownAffine``, or a step before it may read pixels elsewhere for all that is
            known here.
    """

    def __init__(self, steps: Sequence[dict[str, Any]]) -> None:
        built: list[BaseTransform] = []
        for config in steps[1:]:
            step = TRANSFORMS.build(dict(config))
            if isinstance(step, TopdownAffine):
                self.input_size = step.input_size
                break
            if not isinstance(step, _KNOWN):
                raise ConfigError(
                    f'the step {config["type"]} stands between loading and TopdownAffine, and how far around a person '
                    'it reads is not known: put it behind TopdownAffine, or train from the pictures themselves'
                )
            built.append(step)
        else:
            raise ConfigError('the training pipeline has no TopdownAffine, so there are no crops of people to keep')
        self.steps = built

    def describe(self) -> list[str]:
        """The steps in words, equal for pipelines that read equally far."""
        return [*map(repr, self.steps), f'TopdownAffine(input_size={tuple(self.input_size)})']

    def region(self, sample: dict[str, Any], margins: float = 1.0) -> tuple[Region, float]:
        """Where the crop of a person may lie.

        Args:
            sample: A data set's, with its ``bbox``, ``keypoints`` and ``keypoints_visible``; it is changed.
            margins: Times what the steps may reach; below 1, the annotated box is held in any case.

        Returns:
            The region, and the width in pixels of the unchanged box that the model's input shows.
        """
        box = np.ravel(sample['bbox'])
        aspect = self.input_size[0] / self.input_size[1]
        boxes, grow, turn, width = _Boxes.none(), 1.0, 0.0, inf
        for step in self.steps:
            if isinstance(step, _FIXED):
                sample = step(sample)
                if isinstance(step, GetBBoxCenterScale):
                    boxes = _Boxes.whole(sample)
                    width = float(_widened(boxes.size, aspect)[0, 0])
            elif isinstance(step, RandomHalfBody):
                boxes = boxes.with_halves(step, sample)
            elif not isinstance(step, RandomFlip):
                shift, size, angle = limits_of(step)
                boxes = boxes.shifted(shift * grow, aspect)
                grow, turn = grow * size, turn + angle
        half = _turned(_widened(boxes.size, aspect) * (grow / 2), radians(turn))  # (C, 2)
        half = margins * (half + boxes.slack)
        low = np.minimum((boxes.center - half).min(axis=0), box[:2]) - _RIM
        high = np.maximum((boxes.center + half).max(axis=0), box[2:]) + _RIM
        left, top, right, bottom = (int(value) for value in (*np.floor(low), *np.ceil(high)))
        return Region(left, top, right, bottom), width


class _Boxes(NamedTuple):
    """Boxes that a crop may be of: ``center``, ``size`` and the largest shift, ``slack``, each (C, 2) in pixels."""

    center: np.ndarray
    size: np.ndarray
    slack: np.ndarray

    @classmethod
    def none(cls) -> '_Boxes':
        return cls(*np.zeros((3, 0, 2)))

    @classmethod
    def whole(cls, sample: dict[str, Any]) -> '_Boxes':
        size = np.asarray(sample['bbox_scale'], np.float64)
        return cls(np.asarray(sample['bbox_center'], np.float64), size, np.zeros_like(size))

    def shifted(self, factor: float, aspect: float) -> '_Boxes':
        """With what a shift by so much of the box, or of the box in the aspect of the input, may add."""
        return self._replace(slack=self.slack + factor * _widened(self.size, aspect))

    def with_halves(self, step: RandomHalfBody, sample: dict[str, Any]) -> '_Boxes':
        """With the boxes of the half bodies that may take the place of the whole."""
        joints = sample['keypoints'][0]
        visible = sample['keypoints_visible'][0]
        visible = visible[..., 0] if visible.ndim == 2 else visible
        if visible.sum() < step.min_total_keypoints or step.prob <= 0:
            return self
        halves = [
            step._get_half_body_bbox(joints, chosen)
            for ids, least in (
                (sample['upper_body_ids'], step.min_upper_keypoints),
                (sample['lower_body_ids'], step.min_lower_keypoints),
            )
            if len(chosen := [joint for joint in ids if visible[joint] > 0]) >= least
        ]
        center = np.vstack([self.center, *(center for center, _ in halves)])
        size = np.vstack([self.size, *(size for _, size in halves)])
        return _Boxes(center, size, np.vstack([self.slack, np.zeros((len(halves), 2))]))


def limits_of(step: Any) -> tuple[float, float, float]:
    """The largest shift in box sizes, factor of the size and angle in degrees that a random step draws."""
    if isinstance(step, ClippedNormalBBoxTransform):
        size, angle = 1 + step.scale_factor, 2 * step.rotate_factor
    else:
        size, angle = max(step.scale_factor[1], float(step.scale_prob < 1)), step.rotate_factor
    return step.shift_factor * (step.shift_prob > 0), size, angle * (step.rotate_prob > 0)


def _widened(size: np.ndarray, aspect: float) -> np.ndarray:
    """Boxes (C, 2) grown to an aspect ratio."""
    width, height = size[:, :1], size[:, 1:]
    return np.hstack([np.maximum(width, height * aspect), np.maximum(height, width / aspect)])


def _turned(half: np.ndarray, turn: float) -> np.ndarray:
    """Half the extent (C, 2) of boxes that are turned by up to ``turn`` radians, along the axes of the picture."""
    width, height = half.T
    diagonal = np.arctan2(height, width)  # at this angle a corner is farthest out in x, at its complement in y
    across, along = np.minimum(turn, diagonal), np.minimum(turn, np.pi / 2 - diagonal)
    columns = width * np.cos(across) + height * np.sin(across), height * np.cos(along) + width * np.sin(along)
    return np.stack(columns, axis=1)
