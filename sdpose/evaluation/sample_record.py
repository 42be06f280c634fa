"""What a report reads of every sample of an evaluation, kept in a file."""

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmpose.registry import METRICS

from sdpose.io.atomic import atomic_write


@METRICS.register_module()
class SampleRecord(BaseMetric):
    """Measures nothing: fields of all samples go as arrays of one row each into a NumPy archive (``.npz``).

    Args:
        out_file: The archive.
        fields: By the array's name, where a sample has it, such as ``pred_instances.keypoints``.
        collect_device: As for MMEngine's ``BaseMetric``.
    """

    default_prefix = 'record'

    def __init__(self, out_file: str, fields: Mapping[str, str], collect_device: str = 'cpu') -> None:
        super().__init__(collect_device)
        self.out_file, self.fields = out_file, dict(fields)

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep the fields of a batch."""
        for sample in data_samples:
            self.results.append({name: _array(sample, place) for name, place in self.fields.items()})

    def compute_metrics(self, results: list[dict[str, np.ndarray]]) -> dict[str, float]:
        """Write the archive."""
        arrays: dict[str, Any] = {name: np.stack([result[name] for result in results]) for name in self.fields}
        with atomic_write(self.out_file) as file:
            np.savez_compressed(file, **arrays)
        return {}


def _array(sample: dict[str, Any], place: str) -> np.ndarray:
    """A field of a sample, whatever holds it."""
    value = reduce(lambda part, key: part[key], place.split('.'), sample)
    return np.asarray(value.cpu() if hasattr(value, 'cpu') else value)
