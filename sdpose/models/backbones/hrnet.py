"""HRNet cut after its third stage, the backbone of TokenPose-B/L and SDPose-B (TokenPose, section 4.1).

Shapes: B batch, C channels of the highest resolution, H and W the image size in pixels.
"""

from typing import Any

from mmpose.models.backbones import HRNet
from mmpose.registry import MODELS
from torch import nn


@MODELS.register_module()
class TruncatedHRNet(HRNet):
    """MMPose's HRNet with three stages, returning the highest resolution only, (B, C, H / 4, W / 4).

    MMPose's class cannot leave out the fourth stage and fuses all resolutions at the end of the third; here the last
    module of stage 3 fuses into the highest resolution alone, so nothing is computed that nobody reads. The keys of
    what remains are MMPose's.

    Args:
        extra: As for MMPose's HRNet, with ``stage1`` to ``stage3``.
        **kwargs: As for MMPose's HRNet; ``init_cfg=None`` means its default, convolutions from N(0, 0.001), which is
            how the released models start without a file.

    Raises:
        ValueError: If ``extra`` lacks a stage or has a fourth.
    """

    def __init__(self, extra: dict, **kwargs: Any) -> None:
        stages = sorted(key for key in extra if key.startswith('stage'))
        if stages != ['stage1', 'stage2', 'stage3']:  # a fourth stage would be built and never run
            raise ValueError(
                f'TruncatedHRNet takes extra.stage1 to extra.stage3, got {", ".join(stages) or "none"}; '
                'for all four stages use HRNet'
            )
        if kwargs.get('init_cfg') is None:
            kwargs.pop('init_cfg', None)
        stage3 = dict(extra['stage3'])
        # A stage without modules on one branch: MMPose's constructor and forward want a fourth, this one is empty.
        nothing = dict(stage3, num_modules=0, num_branches=1, num_channels=stage3['num_channels'][:1])
        super().__init__(dict(extra, stage4=nothing), **kwargs)

    def _make_stage(
        self, layer_config: dict, in_channels: list[int], multiscale_output: bool = True
    ) -> tuple[nn.Module, list[int]]:
        if layer_config is self.extra['stage3']:
            multiscale_output = False
        return super()._make_stage(layer_config, in_channels, multiscale_output)
