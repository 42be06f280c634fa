"""The end of a classification pipeline."""

from typing import Any

import torch
from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS

from sdpose.structures import ClassSample


@TRANSFORMS.register_module()
class PackClassInputs(BaseTransform):
    """Pack the image tensor and what is known about it; the counterpart of MMPose's ``PackPoseInputs``."""

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """``inputs``, the image (3, H, W), and ``data_samples``, its :class:`ClassSample`."""
        sample = ClassSample(metainfo={key: results[key] for key in ('img_path', 'sample_idx') if key in results})
        if 'gt_label' in results:
            sample.gt_label = torch.tensor(results['gt_label'])
        return dict(inputs=results['img'].as_subclass(torch.Tensor), data_samples=sample)
