"""How many predictions of an evaluation are no numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmengine.dist import all_gather_object


class NotFiniteCount:
    """Counts the predictions whose key points or scores are NaN or infinite, over all processes.

    Metrics go on beside them, and count a NaN as a mistake; their values alone do not tell a broken model from a bad
    one.
    """

    def __init__(self) -> None:
        self._broken: dict[tuple, str] = {}
        self._what = 'people have key points or scores'

    def add(self, samples: Sequence[Any]) -> None:
        """Look at one batch: samples with ``pred_instances`` (joints) or ``pred_score`` (classes); others pass."""
        if samples and 'pred_score' in samples[0]:
            self._what = 'images have scores'
        for sample, finite in zip(samples, _are_finite(samples)):
            if not finite:
                # A sampler repeats samples to fill up its processes: they count once.
                person = sample.get('img_id'), sample.get('id'), sample.get('sample_idx')
                self._broken[person] = _name_image(sample)

    def take(self, size: int) -> str | None:
        """End the count; to be called in every process.

        Args:
            size: How many samples the data set has.

        Returns:
            One sentence for the log, None if every prediction is finite.
        """
        broken: dict[tuple, str] = {}
        for part in all_gather_object(self._broken):
            broken.update(part)
        self._broken = {}
        if not broken:
            return None
        first = next(iter(broken.values()))
        return (
            f'{len(broken)} of {size} {self._what} that are NaN or infinite, the first on {first}: look for broken '
            'weights or images, or for a precision that is too low'
        )


def _are_finite(samples: Sequence[Any]) -> list[bool]:
    if samples and 'pred_score' in samples[0]:  # they lie on the device: one look for all
        return torch.stack([sample.pred_score for sample in samples]).isfinite().all(dim=1).tolist()
    found = [sample.get('pred_instances') for sample in samples]
    return [
        people is None or bool(np.isfinite(people.keypoints).all() and np.isfinite(people.keypoint_scores).all())
        for people in found
    ]


def _name_image(sample: Any) -> str:
    image = sample.get('img_id')
    return f'image {sample.get("img_path")}' if image is None else f'image id {image}'
