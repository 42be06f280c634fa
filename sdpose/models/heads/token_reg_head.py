"""Coordinate head over keypoint tokens (DistilPose, section 3.2; SDPose-Reg, Table 2).

Shapes: B batch, K keypoints, D token width, S sigmas per keypoint.
"""

from collections.abc import Sequence
from inspect import signature
from typing import Any, NamedTuple

import torch
from mmengine.structures import InstanceData
from mmpose.models.heads.base_head import BaseHead
from mmpose.registry import KEYPOINT_CODECS, MODELS
from torch import Tensor
from torch.nn import functional as F

from sdpose.errors import require_choice
from sdpose.structures import SIGMAS, CycleTokens

from .accuracy import coordinate_pck
from .mlp import token_mlp, upcast_half
from .pose_head import PoseHead
from .targets import coordinate_targets


class OutputMode(NamedTuple):
    """What the head regresses beside x and y, in this order: a score, then sigmas.

    Attributes:
        has_score: A linear score.
        num_sigmas: How many sigmas.
        likelihood: Residual log-likelihood form: linear coordinates, sigma by a sigmoid in image sizes, and a loss of
            coordinates and raw sigma. Otherwise coordinates by a sigmoid and sigma by a softplus in heatmap pixels.
    """

    has_score: bool = False
    num_sigmas: int = 0
    likelihood: bool = False


MODES = {
    'xy': OutputMode(),
    'score': OutputMode(has_score=True),
    'sigma': OutputMode(num_sigmas=2),
    '1sigma': OutputMode(has_score=True, num_sigmas=1),
    'all': OutputMode(has_score=True, num_sigmas=2),
    'rle': OutputMode(num_sigmas=2, likelihood=True),
}


class PoseRegression(NamedTuple):
    """Regressed keypoints.

    Attributes:
        coords: (B, K, 2), x and y over the image width and height.
        score: (B, K, 1), 1 - mean sigma for a likelihood; None if the mode has none.
        sigma: (B, K, S), None if the mode has none.
    """

    coords: Tensor
    score: Tensor | None
    sigma: Tensor | None

    @property
    def confidence(self) -> Tensor:
        """(B, K): the score, or 1 for every keypoint."""
        return self.score[..., 0] if self.score is not None else torch.ones_like(self.coords[..., 0])


@MODELS.register_module()
class TokenRegHead(PoseHead, BaseHead):
    """Maps every keypoint token to coordinates by a small MLP, shared by keypoints and cycles.

    Args:
        in_channels: Token width D.
        decoder: The codec, MMPose's ``RegressionLabel``.
        mode: Outputs per keypoint, a key of ``MODES``.
        hidden: Units of the MLP's hidden layer, used if at least twice ``in_channels``.
        supervise: ``'all'`` gives every cycle its loss, ``'last'`` the last cycle only;
            ``dict(gamma=...)`` lets the loss of cycle c count ``gamma ** (c - 1)``.
        loss: The loss of one cycle; ``SmoothL1Loss`` by default, ``RLELoss`` for the mode ``'rle'``, where one flow
            serves all cycles.
        visibility: Options of :class:`TokenVisibility` (``dict()`` for its defaults), with which the head also learns
            and predicts whether joints can be seen; None for a head that does not.
        report_sigma: Of the mode ``'rle'``, predict ``keypoint_sigmas`` (1, K, 2) beside places and scores, in pixels
            of the picture: the scale by which the likelihood divides the error along x and y. For the Laplace factor
            of ``RLELoss`` that is the mean error, but for what the flow makes of it; it is not calibrated.
        init_cfg: Initialization; by default every linear from a truncated normal of std 0.02.

    Raises:
        ValueError: If ``mode`` or ``supervise`` is unknown, the loss is not one of the mode, or the mode has no sigma
            to report.
    """

    def __init__(
        self,
        in_channels: int,
        decoder: dict,
        mode: str = 'xy',
        hidden: int = 64,
        supervise: str | dict = 'all',
        loss: dict | None = None,
        visibility: dict | None = None,
        report_sigma: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg or dict(type='TruncNormal', layer='Linear', std=0.02, bias=0))
        require_choice('mode', mode, MODES)
        self.mode = MODES[mode]
        self.set_supervision(supervise)
        self.mlp = token_mlp(in_channels, hidden, 2 + self.mode.has_score + self.mode.num_sigmas)
        default_loss = dict(type='RLELoss' if self.mode.likelihood else 'SmoothL1Loss', use_target_weight=True)
        self.loss_module = MODELS.build(loss or default_loss)
        # else: weights would be read as sigmas
        if self.mode.likelihood != ('sigma' in signature(self.loss_module.forward).parameters):
            raise ValueError(
                f'mode={mode!r} does not go with {type(self.loss_module).__name__}: the loss of the mode '
                "'rle' reads sigmas (RLELoss), those of the others coordinates alone (SmoothL1Loss)"
            )
        if report_sigma and not self.mode.likelihood:
            raise ValueError(
                f"report_sigma=True is for the mode 'rle', whose sigmas are those of an error, not for mode={mode!r}"
            )
        self.report_sigma = report_sigma
        self.decoder = KEYPOINT_CODECS.build(decoder)
        self.set_visibility(in_channels, visibility)

    def outputs(self, query: Tensor) -> Tensor:
        """Raw outputs (..., K, outputs) of query tokens (..., K, D), in full precision under autocast.

        bfloat16 resolves coordinates in [0.5, 1) only to 1/256, too coarse to train on; the MLP is cheap, so it runs in
        float32.
        """
        kind = query.device.type
        if not torch.is_autocast_enabled(kind):
            return upcast_half(self.mlp(query))
        with torch.autocast(kind, enabled=False):
            return upcast_half(self.mlp(query.to(next(self.mlp.parameters()).dtype)))

    def activate(self, raw: Tensor) -> PoseRegression:
        """The regression (B, K, ...) that raw outputs (B, K, outputs) stand for."""
        coords, score, sigma = raw.split([2, int(self.mode.has_score), self.mode.num_sigmas], dim=-1)
        if self.mode.likelihood:
            sigma = sigma.sigmoid()
            return PoseRegression(coords, 1 - sigma.mean(dim=-1, keepdim=True), sigma)
        return PoseRegression(
            coords.sigmoid(),
            score if self.mode.has_score else None,
            F.softplus(sigma) if self.mode.num_sigmas else None,
        )

    def targets(self, data_samples: Sequence) -> tuple[Tensor, Tensor]:
        """Coordinates over the image size (B, K, 2) and keypoint weights (B, K) of MMPose's data samples."""
        return coordinate_targets(data_samples)

    def loss_of(self, raw: Tensor, targets: tuple[Tensor, Tensor]) -> Tensor:
        """The loss of one cycle's raw outputs (B, K, outputs)."""
        target, weight = targets
        with torch.autocast(raw.device.type, enabled=False):  # the flow would run in half precision
            if self.mode.likelihood:
                return self.loss_module(raw[..., :2], raw[..., 2:], target, weight[..., None])  # weight (B, K, 1)
            weight = weight[..., None].expand_as(target)  # (B, K) -> (B, K, 2)
            return self.loss_module(self.activate(raw).coords, target, weight)

    def accuracy(self, prediction: PoseRegression, targets: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        """``acc_pose``: the share of keypoints near their target."""
        target, weight = targets
        return dict(acc_pose=coordinate_pck(prediction.coords, target, weight > 0))

    def predict(self, feats: Any, batch_data_samples: Sequence, test_cfg: dict | None = None) -> list[InstanceData]:
        """Keypoints in pixels of the input image, with their scores.

        Args:
            feats: The tokens (a ``CycleTokens``), or those of the image and of its mirror image.
            batch_data_samples: One MMPose data sample per image.
            test_cfg: ``flip_test`` averages with the mirror image: x becomes 1 - x, left and right joints change
                places in coordinates and scores alike, and nothing is shifted.
        """
        if (test_cfg or {}).get('flip_test', False):
            plain, mirrored = (self.forward(each) for each in feats)
            swap = batch_data_samples[0].metainfo['flip_indices']
            coords = torch.stack([1 - mirrored.coords[:, swap, 0], mirrored.coords[:, swap, 1]], dim=-1)
            coords = (plain.coords + coords) / 2  # (B, K, 2)
            confidence = (plain.confidence + mirrored.confidence[:, swap]) / 2
        else:
            plain = self.forward(feats)
            coords, confidence = plain.coords, plain.confidence
        instances = self.decode(coords[:, None])  # (B, 1, K, 2): one person per image
        for instance, score in zip(instances, confidence.cpu().numpy()):
            instance.keypoint_scores = score[None]
        return self.add_beside(instances, feats, batch_data_samples, test_cfg)

    @property
    def reports(self) -> tuple[str, ...]:
        """As of :class:`PoseHead`."""
        return (*super().reports, SIGMAS) if self.report_sigma else super().reports

    def beside(self, feats: CycleTokens) -> dict[str, Tensor]:
        """As :meth:`PoseHead.beside`; ``keypoint_sigmas``: (B, K, 2) in sizes of the image, if they are reported."""
        values = super().beside(feats)
        if self.report_sigma:
            values[SIGMAS] = likelihood_sigmas(self.outputs(feats.output.query))
        return values


def likelihood_sigmas(raw: Tensor) -> Tensor:
    """Sigmas (B, K, 2), over the image size, of the raw outputs (B, K, 4) of a likelihood."""
    return raw[..., 2:4].sigmoid()
