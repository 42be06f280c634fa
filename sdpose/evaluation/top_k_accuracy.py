"""Share of images whose class is among the k likeliest ones.

Shapes: N classes.
"""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.evaluator import BaseMetric
from mmpose.registry import METRICS

from sdpose.errors import ConfigError

from .nothing import require_results


@METRICS.register_module()
class TopKAccuracy(BaseMetric):
    """Top-k accuracy in percent, as ``accuracy/top1`` and so on.

    An image counts if fewer than k classes stand before its own: the likelier ones, and the equally likely ones of a
    lower index, so that one value for all classes is right by chance only. Scores that are no numbers are wrong.

    Args:
        topk: The k.
        collect_device: As for MMEngine's ``BaseMetric``.
        prefix: Likewise.

    Raises:
        ValueError: If a k is no integer or less than 1.
    """

    default_prefix = 'accuracy'

    def __init__(self, topk: Sequence[int] = (1, 5), collect_device: str = 'cpu', prefix: str | None = None) -> None:
        super().__init__(collect_device, prefix)
        self.topk = (topk,) if isinstance(topk, int) else tuple(topk)
        if not self.topk or not all(isinstance(k, int) and k >= 1 for k in self.topk):
            raise ValueError(f'topk must name integers of at least 1, got {topk!r}')

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Note the rank of each image's own class, counted from 0.

        Raises:
            ConfigError: If there are no more classes than the largest k, so that everything would be right.
        """
        for sample in data_samples:
            scores, label = sample['pred_score'], int(sample['gt_label'])
            if len(scores) <= max(self.topk):
                raise ConfigError(
                    f'top-{max(self.topk)} accuracy of {len(scores)} classes is always 100 %: set topk '
                    'of TopKAccuracy in val_evaluator and test_evaluator to less'
                )
            own = scores[label]
            ahead = (scores > own).sum() + (scores[:label] == own).sum()
            self.results.append(int(ahead) if torch.isfinite(scores).all() else len(scores))

    def compute_metrics(self, results: list[int]) -> dict[str, float]:
        """Accuracies in percent.

        Raises:
            DataError: If there are no predictions.
        """
        require_results(results)
        ranks = torch.tensor(results)
        return {f'top{k}': 100 * (ranks < k).double().mean().item() for k in self.topk}
