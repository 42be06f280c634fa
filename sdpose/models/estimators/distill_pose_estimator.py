"""Top-down pose estimator whose training loss may include distillation terms, and which can predict every cycle."""

from typing import Any

from mmpose.models.pose_estimators import TopdownPoseEstimator
from mmpose.registry import MODELS
from mmpose.utils.typing import SampleList
from torch import Tensor

from sdpose.models.outputs import extract_features

from .distill_mixin import DistillMixin


@MODELS.register_module()
class DistillPoseEstimator(DistillMixin, TopdownPoseEstimator):
    """MMPose's ``TopdownPoseEstimator`` plus an optional distiller.

    Args:
        distiller: Config of the distiller, None for a plain model.
        **kwargs: As for ``TopdownPoseEstimator``.
    """

    def __init__(self, distiller: dict | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.set_distiller(distiller)

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
        flip_test = self.test_cfg.get('flip_test', False)
        views = [inputs, inputs.flip(-1)] if flip_test else [inputs]
        feats = [extract_features(self, view, cycles=self.neck.num_cycles)[1] for view in views]
        results = []
        for cycle in range(self.neck.num_cycles):
            deployed = [tokens._replace(deployed=cycle) for tokens in feats]
            predicted = self.head.predict(deployed if flip_test else deployed[0], data_samples, test_cfg=self.test_cfg)
            instances, fields = predicted if isinstance(predicted, tuple) else (predicted, None)
            copies = [sample.new() for sample in data_samples]
            results.append(self.add_pred_to_datasample(instances, fields, copies))
        return results
