"""MMPose's COCO metric on arrays."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.dist import get_world_size
from mmengine.fileio import get_local_path
from mmengine.logging import MessageHub, print_log
from mmpose.evaluation.metrics import CocoMetric
from mmpose.registry import METRICS

from sdpose.errors import DataError

from .coco.matching import choose_candidates
from .coco.numbers import coco_numbers, crowd_numbers
from .coco.predictions import Predictions, by_image, final_scores, from_samples, interleave, join, write_results
from .coco.suppression import kept_people
from .coco.truth import Truth, load_truth

_BACKENDS = ('arrays', 'xtcocotools')
_IOU_TYPES = ('keypoints', 'keypoints_crowd')


@METRICS.register_module()
class ArrayCocoMetric(CocoMetric):
    """MMPose's ``CocoMetric`` with the same numbers in a fraction of the time and memory.

    Predictions are kept as arrays, the annotation file is parsed once for all metrics that read it, and nothing goes
    through files unless results are to be written. What COCO's server will say of results without boxes is logged
    where it differs from the metric's AP (M) and AP (L). Converters, data without an annotation file and other kinds of
    evaluation are MMPose's own, as everything is with ``backend='xtcocotools'``.

    Args:
        ann_file: As for ``CocoMetric``, like all others but the last.
        use_area: Whether areas of the file count, else 0.53 of the boxes'.
        iou_type: ``'keypoints'`` or CrowdPose's ``'keypoints_crowd'``.
        score_mode: ``'bbox_keypoint'``, ``'bbox'``, ``'bbox_rle'`` or ``'keypoint'``.
        keypoint_score_thr: What a joint's score must exceed to count in ``'bbox_keypoint'``.
        nms_mode: ``'oks_nms'``, ``'soft_oks_nms'`` or ``'none'``.
        nms_thr: The OKS above which the worse of two people is dropped.
        format_only: Write results and compute nothing.
        pred_converter: MMPose's converter of predictions.
        gt_converter: MMPose's converter of annotations.
        outfile_prefix: Results go to ``{outfile_prefix}.keypoints.json``; None for no file.
        collect_device: How results of several processes are gathered.
        prefix: Of the metrics' names.
        backend: ``'arrays'``, or ``'xtcocotools'`` for MMPose's own computation.

    Raises:
        ValueError: If a mode or the backend is unknown.
        DataError: If the annotation file cannot be read.
    """

    def __init__(
        self,
        ann_file: str | None = None,
        use_area: bool = True,
        iou_type: str = 'keypoints',
        score_mode: str = 'bbox_keypoint',
        keypoint_score_thr: float = 0.2,
        nms_mode: str = 'oks_nms',
        nms_thr: float = 0.9,
        format_only: bool = False,
        pred_converter: dict | None = None,
        gt_converter: dict | None = None,
        outfile_prefix: str | None = None,
        collect_device: str = 'cpu',
        prefix: str | None = None,
        backend: str = 'arrays',
    ) -> None:
        if backend not in _BACKENDS:
            raise ValueError(f'backend must be one of {", ".join(_BACKENDS)}, got {backend!r}')
        # Whether this class computes; decided for good in the setter of the meta information.
        self._own = backend == 'arrays' and not pred_converter and not gt_converter and iou_type in _IOU_TYPES
        self._truth: Truth | None = None
        self._samples = self._size = 0
        self.results: list[Any] = []
        super().__init__(
            None if self._own else ann_file,
            use_area,
            iou_type,
            score_mode,
            keypoint_score_thr,
            nms_mode,
            nms_thr,
            format_only,
            pred_converter,
            gt_converter,
            outfile_prefix,
            collect_device,
            prefix,
        )
        if self._own and ann_file is not None:
            self.ann_file = ann_file
            self._load(ann_file)

    def _load(self, file: str) -> None:
        """Read the annotated people, unless nothing is to be scored."""
        if not self.format_only:
            with get_local_path(file) as local:
                self._truth = load_truth(local)

    @property
    def dataset_meta(self) -> dict | None:
        """The data set's meta information."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, meta: dict) -> None:
        """Set the meta information, and find the data set's annotation file if none was named."""
        if self._own and self._truth is None and not self.format_only:
            file = MessageHub.get_current_instance().get_info(f'{meta["dataset_name"]}_ann_file', None)
            if file is None:  # annotations come with the samples
                self._own = False
            else:
                self._load(file)
                print_log(f'{type(self).__name__}: annotations of {meta["dataset_name"]} from {file}', 'current')
        if self._own:
            self._dataset_meta = meta
        else:
            CocoMetric.dataset_meta.fset(self, meta)

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep what the metric reads of a batch's predictions."""
        if not self._own:
            super().process(data_batch, data_samples)
        elif data_samples:
            self.results.append(from_samples(data_samples, self._samples))
            self._samples += len(data_samples)

    def evaluate(self, size: int) -> dict[str, float]:
        """The metrics of all that was processed, the same in every process.

        Args:
            size: How many samples the data set has; what a sampler repeated beyond that is dropped.
        """
        if not self._own:
            return super().evaluate(size)
        if not self.results:
            print_log(f'{type(self).__name__} got no predictions in this process', 'current', logging.WARNING)
        # One entry of each process: MMEngine gathers the entries, and is not to drop any.
        self.results = [(join(self.results) if self.results else None, self._samples)]
        self._size, self._samples = size, 0
        return super().evaluate(get_world_size())

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Score, suppress, write if asked for, and evaluate unless ``format_only``.

        Args:
            results: Of each process its predictions, or None, and how many samples it had.

        Raises:
            DataError: If there are no predictions, an image is not in the annotation file, or that lacks what is read.
        """
        if not self._own:
            return super().compute_metrics(results)
        # MMEngine makes plain tuples of them.
        parts = [None if part is None else Predictions(*part) for part, _ in results]
        counts = [count for _, count in results]
        results.clear()
        people, starts = by_image(interleave(parts, counts, self._size))
        scores = final_scores(people, self.score_mode, self.keypoint_score_thr)
        sigmas = self.dataset_meta['sigmas']  # type: ignore[index]
        kept = kept_people(people, scores, starts, self.nms_mode, self.nms_thr, sigmas)
        people, scores = people.take(kept), scores[kept]
        if self.outfile_prefix is not None:
            write_results(f'{self.outfile_prefix}.keypoints.json', people, scores)
        return {} if self._truth is None else self._evaluate(self._truth, people, scores, sigmas)

    def _evaluate(self, truth: Truth, people: Predictions, scores: np.ndarray, sigmas: np.ndarray) -> dict[str, float]:
        """The numbers of the people that stayed."""
        unknown = np.flatnonzero(~np.isin(people.image, truth.images))
        if len(unknown):
            raise DataError(
                f'{truth.file} lacks the image {people.image[unknown[0]]}, and others of {len(unknown)} predictions: '
                'evaluate with the annotation file of the data'
            )
        candidates = choose_candidates(people, scores, truth)
        if self.iou_type == 'keypoints_crowd':
            return crowd_numbers(candidates, truth, sigmas, self.use_area)
        numbers, without_boxes = coco_numbers(candidates, truth, sigmas, self.use_area)
        if without_boxes:
            print_log(_say_server(numbers, without_boxes), 'current')
        return numbers


def _say_server(numbers: dict[str, float], without_boxes: dict[str, float]) -> str:
    """Which numbers differ on COCO's server."""
    ours, server = (
        ', '.join(f'{name} {values[name]:.4f}' for name in without_boxes) for values in (numbers, without_boxes)
    )
    return (
        f"{ours} are MMPose's, by the areas of boxes; COCO's server, which gets no boxes, computes {server} for the "
        'same results'
    )
