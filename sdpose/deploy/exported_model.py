"""An exported file in the place of a model, so that MMEngine's test loop evaluates what is shipped.

Shapes: B crops of a batch, (h, w) their size in pixels.
"""

from typing import Any

import numpy as np
import torch
from mmengine.model import BaseModel
from mmengine.structures import InstanceData
from mmpose.registry import MODELS
from torch import Tensor

from .runtime import ExportedFile, PoseRuntime, in_image


@MODELS.register_module()
class ExportedModel(BaseModel):
    """Predicts with an exported file, through the code that runs it on a device: normalizing, flip test, decoding.

    What is left to the data path of a config are boxes, crops and the metric.

    Args:
        file: The file, or the folder that it was exported into.
        task: ``'pose'``, or ``'classes'``, whose images come normalized out of the pipeline.
        flip_test: Whether mirror images are averaged; by default as the file's metadata say.
        data_preprocessor: Config of what stacks the images; it must not normalize those of poses.
        halt: Run further cycles for people with a lower mean score, as :class:`sdpose.deploy.PoseRuntime`.

    Raises:
        ValueError: As :class:`sdpose.deploy.PoseRuntime`.
    """

    def __init__(
        self,
        file: str,
        task: str = 'pose',
        flip_test: bool | None = None,
        data_preprocessor: dict | None = None,
        halt: float | None = None,
    ) -> None:
        super().__init__(data_preprocessor)
        threads = torch.get_num_threads()
        self.task = task
        self.exported: Any = (
            PoseRuntime(file, threads=threads, flip_test=flip_test, halt=halt)
            if task == 'pose'
            else ExportedFile(file, threads=threads)
        )

    def __deepcopy__(self, memo: dict[int, Any]) -> 'ExportedModel':
        """Itself: a hook that keeps a copy of the model, such as one of averages, finds no weights to change in it."""
        return self

    def forward(self, inputs: Tensor, data_samples: list, mode: str = 'tensor') -> list:
        """The samples with their predictions.

        Args:
            inputs: (B, 3, h, w): pixels of 0 to 255, blue, green, red, for poses; normalized for classes.
            data_samples: One of MMPose's or of :class:`sdpose.structures.ClassSample` for each image.
            mode: Of MMEngine's modes, ``'predict'``.

        Raises:
            NotImplementedError: For another mode.
        """
        if mode != 'predict':
            raise NotImplementedError(f'an exported file can be tested, but there is no {mode!r} of it')
        images = inputs.cpu().numpy()
        return self._classify(images, data_samples) if self.task == 'classes' else self._pose(images, data_samples)

    def _pose(self, images: np.ndarray, data_samples: list) -> list:
        """Key points in pixels of the picture, as MMPose's top-down estimator leaves them in the samples."""
        found = self.exported.infer_all(images.transpose(0, 2, 3, 1))
        centers, scales = (
            np.stack([sample.metainfo[key] for sample in data_samples]) for key in ('input_center', 'input_scale')
        )
        found = in_image(found, centers, scales, self.exported.size)
        for number, sample in enumerate(data_samples):
            given, own = sample.gt_instances, {name: values[number : number + 1] for name, values in found.items()}
            sample.pred_instances = InstanceData(
                **own, keypoints_visible=own['keypoint_scores'], bboxes=given.bboxes, bbox_scores=given.bbox_scores
            )
        return data_samples

    def _classify(self, images: np.ndarray, data_samples: list) -> list:
        """The probability of each class."""
        (logits,) = self.exported.run(images)
        for sample, scores in zip(data_samples, torch.from_numpy(logits).softmax(dim=-1)):
            sample.pred_score = scores
        return data_samples
