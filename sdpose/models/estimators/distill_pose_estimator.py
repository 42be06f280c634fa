"""Top-down pose estimator whose training loss may include distillation terms."""
from typing import Any, Optional

from mmpose.models.pose_estimators import TopdownPoseEstimator
from mmpose.registry import MODELS
from mmpose.utils.typing import SampleList
from torch import Tensor


@MODELS.register_module()
class DistillPoseEstimator(TopdownPoseEstimator):
    """MMPose's ``TopdownPoseEstimator`` plus an optional distiller, which is active in training only.

    Args:
        distiller: config of the distiller, None for a plain model. It owns no parameter of the model, so a checkpoint
            fits the config with and without it.
        **kwargs: as for ``TopdownPoseEstimator``.
    """

    def __init__(self, distiller: Optional[dict] = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.distiller = MODELS.build(distiller) if distiller else None
        if self.distiller is not None:
            self.distiller.check(self)

    def loss(self, inputs: Tensor, data_samples: SampleList) -> dict[str, Tensor]:
        """Losses of the head and of the distiller for images (B, 3, H, W)."""
        feats = self.extract_feat(inputs)
        losses = self.head.loss(feats, data_samples, train_cfg=self.train_cfg)
        if self.distiller is not None:
            losses.update(
                self.distiller.loss(feats, images=inputs, head=self.head, data_samples=data_samples))
        return losses
