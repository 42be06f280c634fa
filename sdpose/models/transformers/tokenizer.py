"""Feature map to token sequence: patches, learned query tokens and position (TokenPose, section 3.2).

Shapes: B batch, C channels, K query tokens, P = (H / ph) * (W / pw) visual tokens, D width.
"""

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn import functional as F

from sdpose.errors import ConfigError, require_choice
from sdpose.structures import TokenSet

from .position import POSITION_MODES, sine_table


class Tokenizer(BaseModule):
    """Cuts a feature map into patches and puts learned query tokens before them.

    Args:
        in_channels: Channels of the feature map.
        feature_size: (w, h) of the feature map.
        patch_size: (w, h) of a patch; patches do not overlap and are ordered row by row.
        num_queries: Number of query tokens: one per keypoint, or one class token.
        dim: Width of a token.
        position: ``'sine'`` adds the fixed embedding to the patches once; ``'sine-full'`` has it added again before
            every layer but the first of each cycle; ``'learnable'`` adds one learned table to all tokens once.

    Attributes:
        joint_rows: Names of the tensors (1, K + n, D) whose first K rows belong to the query tokens, for whoever takes
            weights over to other joints.

    Raises:
        ValueError: If the patches do not tile the feature map, or a value is out of range.
    """

    def __init__(
        self,
        in_channels: int,
        feature_size: tuple[int, int],
        patch_size: tuple[int, int],
        num_queries: int,
        dim: int,
        position: str = 'sine-full',
    ) -> None:
        super().__init__()
        for axis, size, patch in zip(('width', 'height'), feature_size, patch_size):
            if patch < 1 or size < 1 or size % patch:  # a convolution drops the rest of the map
                raise ValueError(
                    f'patch_size (w, h)={tuple(patch_size)} does not divide the feature map (w, h)='
                    f'{tuple(feature_size)}: {axis} {size} is not a multiple of {patch}'
                )
        if num_queries < 1:  # a model without joints is built all the same
            raise ValueError(f'a tokenizer needs at least one query token, got {num_queries}')
        require_choice('position', position, POSITION_MODES)
        self.feature_size = tuple(feature_size)
        self.grid_size = (feature_size[0] // patch_size[0], feature_size[1] // patch_size[1])  # (w, h)
        self.num_queries = num_queries
        self.position_per_layer = position == 'sine-full'
        self.joint_rows = ('query', 'position') if position == 'learnable' else ('query',)
        patch_hw = (patch_size[1], patch_size[0])
        self.patch_embed = nn.Conv2d(in_channels, dim, kernel_size=patch_hw, stride=patch_hw)
        self.query = nn.Parameter(nn.init.trunc_normal_(torch.empty(1, num_queries, dim), std=0.02))
        if position == 'learnable':
            length = num_queries + self.grid_size[0] * self.grid_size[1]
            self.position = nn.Parameter(nn.init.trunc_normal_(torch.empty(1, length, dim), std=0.02))
        else:
            # Zero rows for the queries make adding it one plain addition. Not in the state dict: it is a
            # function of the sizes, and the published parameter counts leave it out.
            table = F.pad(sine_table(self.grid_size[1], self.grid_size[0], dim), (0, 0, num_queries, 0))
            self.register_buffer('position', table[None], persistent=False)

    def init_weights(self) -> None:
        """The patch projection is a linear in all but its form, so it starts like the other linears."""
        super().init_weights()
        weight, bias = self.patch_embed.parameters()
        nn.init.trunc_normal_(weight, std=0.02)
        nn.init.zeros_(bias)

    def forward(self, feature: Tensor) -> TokenSet:
        """Tokens of a feature map (B, C, H, W).

        Raises:
            ConfigError: If the map has another size than ``feature_size``.
        """
        size = (feature.shape[-1], feature.shape[-2])
        if size != self.feature_size:
            raise ConfigError(
                f'the tokenizer was built for a feature map of (w, h)={self.feature_size} but got '
                f'{size}: set feature_size to the input size divided by the stride of the backbone'
            )
        patches = self.patch_embed(feature).flatten(2).transpose(1, 2)  # (B, P, D)
        query = self.query.expand(patches.shape[0], -1, -1)  # (1, K, D) -> (B, K, D)
        sequence = torch.cat([query, patches], dim=1) + self.position  # (B, K + P, D)
        return TokenSet(sequence, self.num_queries, self.position if self.position_per_layer else None)
