"""A regressed keypoint drawn as a Gaussian, compared with the teacher's heatmap (DistilPose, section 3.3).

Shapes: B batch, K keypoints, S sigmas (1 or 2), H and W the size of the teacher's heatmaps.
"""

from typing import Any

import torch
from mmpose.registry import MODELS
from torch import Tensor

from sdpose.errors import require_choice

from .base import PREDICTION, DistillationLoss

WEIGHTINGS = ('per_sample', 'released')


@MODELS.register_module()
class SimulatedHeatmapLoss(DistillationLoss):
    """Weighted mean squared error between simulated and teacher heatmaps.

    The Gaussian has its peak of 1 at the coordinates times (W, H); a keypoint whose 3-sigma box lies off the map is
    left out. Gradients reach coordinates and sigmas.

    Args:
        loss_weight: Factor of the mean.
        weighting: ``'per_sample'`` weights the error of each keypoint by its own weight. ``'released'`` repeats the
            released code, where a broadcast multiplies the batch means of error and weight instead.

    Raises:
        ValueError: If ``weighting`` is unknown or the weight negative.
    """

    reads = PREDICTION
    needs_weight = True

    def __init__(self, loss_weight: float = 1.0, weighting: str = 'per_sample') -> None:
        super().__init__(loss_weight)
        require_choice('weighting', weighting, WEIGHTINGS)
        self.weighting = weighting

    @staticmethod
    def simulate(coords: Tensor, sigma: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Gaussians (B, K, H, W) and which of them touch the map (B, K).

        Args:
            coords: (B, K, 2), x and y over the map's width and height.
            sigma: (B, K, S), in heatmap pixels.
            size: (W, H).
        """
        u, v = (torch.arange(length, device=coords.device, dtype=coords.dtype) for length in size)
        # By numbers, not by a tensor of the two: making one on a GPU has the host wait for it.
        mean = torch.stack([each * length for each, length in zip(coords.unbind(-1), size)], dim=-1)  # (B, K, 2)
        sigma = sigma.expand_as(coords)  # (B, K, S) -> (B, K, 2)
        across = (u - mean[..., :1]).square() / (sigma[..., :1].square() + 1e-9)  # (B, K, W)
        down = (v - mean[..., 1:]).square() / (sigma[..., 1:].square() + 1e-9)  # (B, K, H)
        reach = 3 * sigma
        inside = [near < length for near, length in zip((mean - reach).unbind(-1), size)]
        touches = inside[0] & inside[1] & (mean + reach + 1 >= 0).all(dim=-1)
        exponent = down[..., :, None] + across[..., None, :]  # (B, K, H, 1) + (B, K, 1, W) -> (B, K, H, W)
        return torch.exp(-0.5 * exponent), touches

    def distance(self, student: Any, teacher: Tensor, weight: Tensor) -> Tensor:
        """The loss, a scalar.

        Args:
            student: A regression with ``coords`` (B, K, 2) and ``sigma`` (B, K, S).
            teacher: Heatmaps (B, K, H, W).
            weight: Keypoint weights (B, K).

        Raises:
            ValueError: If the student regresses no sigma.
        """
        if getattr(student, 'sigma', None) is None:
            raise ValueError(
                "a simulated heatmap needs a student that regresses sigma: set model.head.mode to 'all', "
                "'sigma' or '1sigma'"
            )
        simulated, touches = self.simulate(student.coords, student.sigma, (teacher.shape[-1], teacher.shape[-2]))
        weight = weight * touches
        error = (simulated * touches[..., None, None] - teacher).square().mean(dim=(2, 3))  # (B, K)
        if self.weighting == 'released':
            return (error.mean(dim=0) * weight.mean(dim=0)).mean()
        return (error * weight).mean()
