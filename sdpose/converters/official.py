"""Weights of the released code in the layout used here: TokenPose, PPT, SDPose, DistilPose and RLE share their names.

Shapes: D token width, C channels of the feature map, ph and pw the patch height and width, P patches.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from torch import Tensor

_PATCHES = 'neck.tokenizer.patch_embed.weight'
_POSITION = 'pos_embedding'
# One row per tensor of the released token module; the transformer is called transformer or transformer_layer1 there.
TOKEN_MODULE = (
    (r'keypoint_token', r'neck.tokenizer.query'),
    (r'patch_to_embedding\.(weight|bias)', r'neck.tokenizer.patch_embed.\1'),
    (r'transformer(?:_layer1)?\.layers\.(\d+)\.0\.fn\.norm\.(\w+)', r'neck.layers.\1.norm1.\2'),
    (r'transformer(?:_layer1)?\.layers\.(\d+)\.0\.fn\.fn\.to_qkv\.(\w+)', r'neck.layers.\1.attn.qkv.\2'),
    (r'transformer(?:_layer1)?\.layers\.(\d+)\.0\.fn\.fn\.to_out\.0\.(\w+)', r'neck.layers.\1.attn.proj.\2'),
    (r'transformer(?:_layer1)?\.layers\.(\d+)\.1\.fn\.norm\.(\w+)', r'neck.layers.\1.norm2.\2'),
    (r'transformer(?:_layer1)?\.layers\.(\d+)\.1\.fn\.fn\.net\.0\.(\w+)', r'neck.layers.\1.ffn.0.\2'),
    (r'transformer(?:_layer1)?\.layers\.(\d+)\.1\.fn\.fn\.net\.3\.(\w+)', r'neck.layers.\1.ffn.2.\2'),
    (r'mlp_head\.(\d+)\.(\w+)', r'head.mlp.\1.\2'),
    (_POSITION, _POSITION),
)
# A whole model: the token module sits below keypoint_head, the flow of the likelihood in its loss.
WHOLE_MODEL = (
    (r'(backbone\..+)', r'\1'),
    (r'keypoint_head\.kpt_loss\.(flow_model\..+)', r'head.loss_module.\1'),
    *((rf'keypoint_head\.(?:tokenpose|tokenhead)\.{old}', new) for old, new in TOKEN_MODULE),
)


class Converted(NamedTuple):
    """A released model in this project's names.

    Attributes:
        weights: Key of this project's model to tensor.
        unknown: Released key to tensor, for the keys that have no place here.
        position: The stored position embedding of the visual tokens, (1, P, D), or of all tokens if it was learned;
            None if there is none. Here the sine embedding is a function of the sizes, not a stored tensor.
    """

    weights: dict[str, Tensor]
    unknown: dict[str, Tensor]
    position: Tensor | None


def convert_model(state: Mapping[str, Tensor], patch_size: tuple[int, int]) -> Converted:
    """Rename the tensors of a whole released model.

    Args:
        state: Released key to tensor, without ``module.``.
        patch_size: (w, h) of a patch. A patch projection that it does not divide stays as it is.
    """
    weights: dict[str, Tensor] = {}
    unknown: dict[str, Tensor] = {}
    for key, value in state.items():
        new = next((match.expand(new) for old, new in WHOLE_MODEL if (match := re.fullmatch(old, key))), None)
        if new is None or new in weights:  # a second transformer or token module would overwrite the first
            unknown[key] = value
        else:
            weights[new] = _as_convolution(value, patch_size) if new == _PATCHES else value
    return Converted(weights, unknown, weights.pop(_POSITION, None))


def _as_convolution(weight: Tensor, patch_size: tuple[int, int]) -> Tensor:
    """The patch projection, a linear (D, ph pw C) over row, column and channel, as a convolution (D, C, ph, pw)."""
    width, height = patch_size
    if weight.ndim != 2 or weight.shape[1] % (width * height):
        return weight
    return weight.unflatten(1, (height, width, -1)).permute(0, 3, 1, 2).contiguous()
