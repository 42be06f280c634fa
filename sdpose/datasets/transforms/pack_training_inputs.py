"""The end of a training pipeline: what a loss and a log need, and no more."""

import warnings
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.structures import InstanceData, PixelData
from mmpose.datasets.transforms import PackPoseInputs
from mmpose.registry import TRANSFORMS
from mmpose.structures import PoseDataSample

_META = (
    *('id', 'img_id', 'img_path', 'ori_shape', 'img_shape', 'input_size', 'input_center', 'input_scale', 'flip'),
    'input_matrix',
)
# A crop that the device samples is a view of the crop cache's file. Torch warns of it, in every process of a loader;
# nobody writes into what is sent on.
warnings.filterwarnings('ignore', 'The given NumPy array is not writable', UserWarning)


@TRANSFORMS.register_module()
class PackTrainingInputs(PackPoseInputs):
    """``PackPoseInputs`` for training: the same image, labels and fields, without what only an evaluation reads.

    Each sample crosses from a loader's process to the model's. MMPose sends the raw annotation with its polygons along
    (``raw_ann_info``), indices that are the data set's and the person's boxes and key points once more. Here a sample
    has its image, ``gt_instance_labels``, ``gt_fields`` and the metainfo below. Samples that MMPose packs otherwise
    (several images, levels of heatmaps, other mappings of instances) are packed by MMPose.

    Args:
        meta_keys: Names of results that are kept as metainfo.
        pack_transformed: As for ``PackPoseInputs``.
    """

    def __init__(self, meta_keys: tuple[str, ...] = _META, pack_transformed: bool = False) -> None:
        super().__init__(meta_keys, pack_transformed)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """``inputs``, the uint8 image (3, H, W), and ``data_samples``."""
        image: Any = results.get('img')
        labels = named_tensors(results, results.get('label_mapping_table', self.label_mapping_table))
        fields = named_tensors(results, results.get('field_mapping_table', self.field_mapping_table))
        plain = isinstance(image, np.ndarray) and image.ndim == 3 and 'instance_mapping_table' not in results
        if not plain or self.pack_transformed or any(isinstance(value, list) for value in fields.values()):
            return super().transform(results)
        sample = PoseDataSample()
        for key in self.meta_keys:
            if key in results:
                sample.set_field(results[key], key, field_type='metainfo')  # set_metainfo copies each value in depth
        sample.gt_instance_labels = InstanceData(**labels)
        if fields:
            sample.gt_fields = PixelData(**fields)
        if 'input_matrix' in results:
            return dict(inputs=torch.from_numpy(image).permute(2, 0, 1), data_samples=sample)  # (h, w, 3) in memory
        return dict(inputs=planes_of(image), data_samples=sample)


def planes_of(image: np.ndarray) -> torch.Tensor:
    """An image (H, W, C) as a tensor (C, H, W) of its own."""
    planes = np.empty((image.shape[2], *image.shape[:2]), image.dtype)
    cv2.split(image, list(planes))  # in place, 8 times as fast as a transposed copy
    return torch.from_numpy(planes)


def named_tensors(results: dict[str, Any], table: Any) -> dict[str, Any]:
    """Results under the names of a mapping, arrays as tensors.

    Args:
        results: Of a pipeline.
        table: The name of each that is taken, by its key.
    """
    found = {name: results[key] for key, name in table.items() if key in results}
    return {name: torch.from_numpy(each) if isinstance(each, np.ndarray) else each for name, each in found.items()}
