"""Top-down pose estimator whose training loss may include distillation terms, and which can predict every cycle."""

from typing import Any

from mmengine.structures import InstanceData
from mmpose.models.pose_estimators import TopdownPoseEstimator
from mmpose.registry import MODELS
from mmpose.utils.typing import SampleList
from torch import Tensor

from sdpose.models.outputs import extract_features
from sdpose.structures import CycleTokens

from .distill_mixin import DistillMixin
from .flip_views import extract_views


@MODELS.register_module()
class DistillPoseEstimator(DistillMixin, TopdownPoseEstimator):
    """MMPose's ``TopdownPoseEstimator`` plus an optional distiller.

    Args:
        distiller: Config of the distiller, None for a plain model.
        **kwargs: As for ``TopdownPoseEstimator``; ``test_cfg`` may have ``flip_together``, see :func:`extract_views`.
    """

    def __init__(self, distiller: dict | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.set_distiller(distiller)

    def predict(self, inputs: Tensor, data_samples: SampleList) -> SampleList:
        """The data samples with ``pred_instances``, as ``TopdownPoseEstimator.predict`` makes them.

        Args:
            inputs: The preprocessed images (B, 3, H, W).
            data_samples: One MMPose data sample per image.
        """
        return self._predict_of(extract_views(self.extract_feat, inputs, self.test_cfg), data_samples)

    def _predict_of(self, views: list[Any], data_samples: SampleList) -> SampleList:
        """The predictions of what the head reads of one view or two, written into the data samples."""
        predicted = self.head.predict(views if len(views) > 1 else views[0], data_samples, test_cfg=self.test_cfg)
        instances, fields = predicted if isinstance(predicted, tuple) else (predicted, None)
        return self.add_pred_to_datasample(instances, fields, data_samples)

    def add_pred_to_datasample(
        self, batch_pred_instances: list[InstanceData], batch_pred_fields: Any, batch_data_samples: SampleList
    ) -> SampleList:
        """As MMPose's, which copies the metainfo and counts the instances with each value it reads or writes.

        Args:
            batch_pred_instances: Of each image, with ``keypoints`` (1, K, 2) in pixels of the crop, which become those
                of the picture.
            batch_pred_fields: Of each image, or None.
            batch_data_samples: What is written into.
        """
        if batch_pred_fields or self.test_cfg.get('output_keypoint_indices') is not None:
            return super().add_pred_to_datasample(batch_pred_instances, batch_pred_fields, batch_data_samples)
        for found, sample in zip(batch_pred_instances, batch_data_samples, strict=True):
            joints, scale = found.keypoints, sample.input_scale
            joints[..., :2] = joints[..., :2] / sample.input_size * scale + sample.input_center - 0.5 * scale
            if 'keypoints_visible' not in found:
                found.set_field(found.keypoint_scores, 'keypoints_visible')
            found.set_field(sample.gt_instances.bboxes, 'bboxes')
            found.set_field(sample.gt_instances.bbox_scores, 'bbox_scores')
            sample.pred_instances = found
        return batch_data_samples

    def predict_cycles(self, inputs: Tensor, data_samples: SampleList) -> list[SampleList]:
        """Predictions of every training cycle, whichever is deployed; needs a ``MultiCycledTransformer`` as neck.

        An image passes backbone and neck once (twice with flip test), as for its last cycle alone; the head reads one
        cycle after the other.

        Args:
            inputs: The preprocessed images (B, 3, H, W).
            data_samples: One MMPose data sample per image; they are left as they are.

        Returns:
            For each cycle, first cycle first, what ``predict`` returns under ``test_cycles`` of that cycle.
        """
        if self.metainfo is not None:
            data_samples = [sample.new(metainfo={**sample.metainfo, **self.metainfo}) for sample in data_samples]

        def every_cycle(images: Tensor) -> CycleTokens:
            return extract_features(self, images, cycles=self.neck.num_cycles)[1]

        views = extract_views(every_cycle, inputs, self.test_cfg)
        return [
            self._predict_of(
                [tokens._replace(deployed=cycle) for tokens in views], [sample.new() for sample in data_samples]
            )
            for cycle in range(self.neck.num_cycles)
        ]
