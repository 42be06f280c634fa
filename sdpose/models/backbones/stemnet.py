"""StemNet: the stride-4 convolutional stem that TokenPose-S and SDPose-T/S use as their backbone.

Shapes: B batch, H and W the image size in pixels.
"""

from mmengine.model import BaseModule
from mmpose.models.backbones.resnet import Bottleneck, ResLayer
from mmpose.registry import MODELS
from torch import Tensor, nn

EXPANSION = 4


@MODELS.register_module()
class StemNet(BaseModule):
    """Two 3x3 convolutions of stride 2, then bottleneck blocks at a quarter of the image size.

    Args:
        in_channels: Channels of the image.
        stem_channels: Width of the two convolutions and of the bottlenecks' middle; the output has four times as many.
        num_blocks: Number of bottleneck blocks.
        init_cfg: Initialization; by default that of the released models, convolutions from N(0, 0.001).

    Raises:
        ValueError: If there is no block, because the blocks widen the stem to its output width.
    """

    def __init__(
        self, in_channels: int = 3, stem_channels: int = 64, num_blocks: int = 4, init_cfg: dict | list | None = None
    ) -> None:
        super().__init__(
            init_cfg
            or [dict(type='Normal', layer='Conv2d', std=0.001), dict(type='Constant', layer='BatchNorm2d', val=1)]
        )
        if num_blocks < 1:  # the map would keep the stem's channels, and the neck fail on a shape
            raise ValueError(f'StemNet needs at least one bottleneck block, got num_blocks={num_blocks}')
        self.conv1 = nn.Conv2d(in_channels, stem_channels, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(stem_channels)
        self.conv2 = nn.Conv2d(stem_channels, stem_channels, 3, stride=2, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(stem_channels)
        self.relu = nn.ReLU(inplace=True)
        self.layer1 = ResLayer(Bottleneck, num_blocks, stem_channels, EXPANSION * stem_channels)

    def forward(self, image: Tensor) -> tuple[Tensor]:
        """Feature map (B, 4 * stem_channels, H / 4, W / 4) of an image (B, 3, H, W), as a 1-tuple."""
        x = self.relu(self.bn1(self.conv1(image)))
        x = self.relu(self.bn2(self.conv2(x)))
        return (self.layer1(x),)
