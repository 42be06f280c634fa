"""How well a predicted visibility parts the joints that can be seen from the hidden ones.

Shapes: N joints.
"""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from mmpose.registry import METRICS

from sdpose.errors import ConfigError, DataError
from sdpose.io.joint_flags import HIDDEN, SEEN, visibility_of
from sdpose.structures import VISIBILITY

from .nothing import require_results


@METRICS.register_module()
class VisibilityAUC(BaseMetric):
    """The area under the ROC curve of ``keypoint_visibility``, as ``visibility/AUC``.

    It is the share of pairs of a seen joint (annotated flag 2) and a hidden one (flag 1) in which the seen one has the
    higher visibility, a tie being half a pair: 0.5 for chance, 1 for a perfect order. Joints without a label (flag 0)
    do not count. People are those of annotated boxes; a detected box has no flags.

    Args:
        collect_device: As for MMEngine's ``BaseMetric``.
        prefix: Likewise.
    """

    default_prefix = 'visibility'

    def __init__(self, collect_device: str = 'cpu', prefix: str | None = None) -> None:
        super().__init__(collect_device, prefix)

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep visibility and label of each joint of a batch.

        Raises:
            ConfigError: If the model predicts no visibility, or boxes come from a detector.
            DataError: If a sample's flags are those of other joints.
        """
        for sample in data_samples:
            found = sample['pred_instances'].get(VISIBILITY)
            if found is None:
                raise ConfigError('VisibilityAUC: the model predicts no visibility, model.head.visibility turns it on')
            labels = visibility_of(sample.get('raw_ann_info'))
            if labels is None:
                raise ConfigError(
                    'VisibilityAUC compares with annotated flags, which the samples lack: test with annotated boxes '
                    '(--gt-bbox) and with a pipeline that ends in PackTestInputs or PackPoseInputs'
                )
            if labels.shape != np.shape(found):
                raise DataError(
                    f'VisibilityAUC: the annotation {sample.get("id")} has flags for {labels.shape[1]} joints, the '
                    f'model predicts {np.shape(found)[1]}: joints of a data set are compared as they are annotated'
                )
            self.results.append((np.asarray(found)[0], labels[0]))

    def compute_metrics(self, results: list[tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
        """The area; nothing, with a warning, where no joint is hidden or none is seen.

        Raises:
            DataError: If there are no predictions.
        """
        require_results(results)
        scores, labels = (np.concatenate(each) for each in zip(*results))
        seen, hidden = scores[labels == SEEN], scores[labels == HIDDEN]
        if not len(seen) or not len(hidden):
            print_log(
                f'VisibilityAUC: {len(seen)} joints of the data can be seen and {len(hidden)} are hidden, so there is '
                'no area',
                'current',
                logging.WARNING,
            )
            return {}
        print_log(f'visibility of {len(seen)} joints that can be seen and {len(hidden)} hidden ones', 'current')
        return dict(AUC=area(seen, hidden))


def area(high: np.ndarray, low: np.ndarray) -> float:
    """The share of pairs in which the first value is the higher one, ties being half a pair; NaN if a value is NaN.

    Args:
        high: Values that should be high, (N,).
        low: Values that should be low, (M,).
    """
    if np.isnan(high).any() or np.isnan(low).any():
        return float('nan')
    ordered = np.sort(low)
    below, to = (np.searchsorted(ordered, high, side).astype(float) for side in ('left', 'right'))
    return float((below + to).sum() / (2 * len(high) * len(low)))
