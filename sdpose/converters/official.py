"""Weights of the released token modules in the layout used here (TokenPose, PPT and SDPose share it).

Shapes: D token width, C channels of the feature map, ph and pw the patch height and width.
"""
import re
from collections.abc import Mapping

from torch import Tensor

# One row per tensor of the released module; the transformer is called transformer or transformer_layer1 there.
RENAMES = (
    (r'keypoint_token', r'neck.tokenizer.query'),
    (r'patch_to_embedding\.(weight|bias)', r'neck.tokenizer.patch_embed.\1'),
    (r'transformer(?:_layer1)?\.layers\.(\d+)\.0\.fn\.norm\.(\w+)', r'neck.layers.\1.norm1.\2'),
    (r'transformer(?:_layer1)?\.layers\.(\d+)\.0\.fn\.fn\.to_qkv\.(\w+)', r'neck.layers.\1.attn.qkv.\2'),
    (r'transformer(?:_layer1)?\.layers\.(\d+)\.0\.fn\.fn\.to_out\.0\.(\w+)', r'neck.layers.\1.attn.proj.\2'),
    (r'transformer(?:_layer1)?\.layers\.(\d+)\.1\.fn\.norm\.(\w+)', r'neck.layers.\1.norm2.\2'),
    (r'transformer(?:_layer1)?\.layers\.(\d+)\.1\.fn\.fn\.net\.0\.(\w+)', r'neck.layers.\1.ffn.0.\2'),
    (r'transformer(?:_layer1)?\.layers\.(\d+)\.1\.fn\.fn\.net\.3\.(\w+)', r'neck.layers.\1.ffn.2.\2'),
    (r'mlp_head\.(\d+)\.(\w+)', r'head.mlp.\1.\2'),
)
# The sine table is a function of the sizes here, not a stored tensor.
DROPPED = ('pos_embedding', )


def convert_token_module(state: Mapping[str, Tensor], patch_size: tuple[int, int]) -> dict[str, Tensor]:
    """Rename the tensors of a released token module (keys without ``keypoint_head.tokenpose.``).

    The released patch projection is a linear over (row, column, channel); here it is a convolution, so its weight
    (D, ph pw C) becomes (D, C, ph, pw).

    Args:
        state: released key to tensor.
        patch_size: (w, h) of a patch.

    Returns:
        Key of this project's model to tensor.

    Raises:
        KeyError: if keys are unknown, naming all of them.
    """
    converted, unknown = {}, []
    for key, value in state.items():
        if key in DROPPED:
            continue
        matches = [(match, new) for old, new in RENAMES if (match := re.fullmatch(old, key))]
        if not matches:
            unknown.append(key)
            continue
        if key == 'patch_to_embedding.weight':
            width, height = patch_size
            value = value.unflatten(1, (height, width, -1)).permute(0, 3, 1, 2).contiguous()
        match, new = matches[0]
        converted[match.expand(new)] = value
    if unknown:
        raise KeyError(f'not a released token module, unknown keys: {", ".join(unknown)}')
    return converted
