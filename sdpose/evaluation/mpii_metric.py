"""PCKh on MPII, and a file of the predictions."""

import json
from collections.abc import Sequence
from typing import Any

from mmpose.evaluation.metrics import MpiiPCKAccuracy
from mmpose.registry import METRICS

from sdpose.io.atomic import atomic_write

from .nothing import require_results


@METRICS.register_module()
class MpiiMetric(MpiiPCKAccuracy):
    """MMPose's PCKh, which can also write predictions, or do that alone, with the options that ``CocoMetric`` has.

    The file is a JSON list, in the order of the annotation file: ``person`` (place in that file, from 0), ``image``,
    ``keypoints`` (K x 2 pixels, counted from 1 as MPII does) and ``scores`` (K).

    Args:
        format_only: Write predictions and compute nothing: for the test split, whose labels are not public.
        outfile_prefix: Predictions go to ``{outfile_prefix}.keypoints.json``; None for no file.
        **pckh: As ``MpiiPCKAccuracy``: ``thr`` (0.5), ``norm_item`` (``'head'``), ``prefix`` (``'mpii'``).

    Raises:
        ValueError: If neither a metric nor a file is asked for.
    """

    default_prefix = 'mpii'

    def __init__(self, format_only: bool = False, outfile_prefix: str | None = None, **pckh: Any) -> None:
        if format_only and outfile_prefix is None:
            raise ValueError('format_only=True writes predictions, which takes an outfile_prefix')
        super().__init__(**pckh)
        self.format_only, self.outfile_prefix = format_only, outfile_prefix

    def process(self, data_batch: Sequence[dict], data_samples: Sequence[dict]) -> None:
        """Keep what the metric reads of a batch, and its predictions."""
        before = len(self.results)
        if self.format_only:
            self.results += [{} for _ in data_samples]
        else:
            super().process(data_batch, data_samples)
        if self.outfile_prefix is not None:
            for result, sample in zip(self.results[before:], data_samples, strict=True):
                result['prediction'] = _prediction(sample)

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Write the predictions, and compute PCKh unless ``format_only``.

        Raises:
            DataError: If there are no predictions.
        """
        require_results(results)
        if self.outfile_prefix is not None:
            people = sorted((result['prediction'] for result in results), key=lambda item: item['person'])
            with atomic_write(f'{self.outfile_prefix}.keypoints.json', 'w') as file:
                json.dump(people, file)
        return {} if self.format_only else super().compute_metrics(results)


def _prediction(sample: dict[str, Any]) -> dict[str, Any]:
    """One person of the file."""
    found = sample['pred_instances']
    return dict(
        person=int(sample['id']),
        image=str(sample['img_path']).replace('\\', '/').split('/')[-1],
        keypoints=(found['keypoints'][0] + 1).astype(float).round(3).tolist(),
        scores=found['keypoint_scores'][0].astype(float).round(5).tolist(),
    )
