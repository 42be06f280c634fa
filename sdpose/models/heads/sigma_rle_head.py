"""MMPose's head of RLE that also says how sure it is of each joint, in pixels."""

from collections.abc import Sequence
from typing import Any

from mmengine.structures import InstanceData
from mmpose.models.heads import RLEHead
from mmpose.registry import MODELS
from torch import Tensor

from sdpose.structures import SIGMAS

from .pose_head import write_beside
from .token_reg_head import likelihood_sigmas


@MODELS.register_module()
class SigmaRLEHead(RLEHead):
    """``RLEHead`` whose predictions hold ``keypoint_sigmas``; the same weights, places and scores.

    A sigma is the scale by which the likelihood divides the error of a joint along x or y: for the Laplace factor of
    ``RLELoss`` the mean error, but for what the flow makes of it. It is not calibrated. Of a flip test it is the mean
    of both images.
    """

    reports = (SIGMAS,)

    def beside(self, feats: Any) -> dict[str, Tensor]:
        """``keypoint_sigmas``: (B, K, 2) in sizes of the image."""
        return {SIGMAS: likelihood_sigmas(self.forward(feats))}

    def predict(self, feats: Any, batch_data_samples: Sequence, test_cfg: dict | None = None) -> list[InstanceData]:
        """As ``RLEHead.predict``, with ``keypoint_sigmas`` (1, K, 2) in pixels of the picture."""
        test_cfg = test_cfg or {}
        instances = super().predict(feats, batch_data_samples, test_cfg)
        views = feats if test_cfg.get('flip_test', False) else [feats]
        write_beside(instances, [self.beside(each) for each in views], batch_data_samples)
        return instances
