"""Weights of a vision transformer of timm (or of the DeiT release, which has the same layout) under our names.

Shapes: D token width, L layers, P patches.
"""

import re
from collections.abc import Mapping

from torch import Tensor

from sdpose.errors import MismatchError, first_few

_SHOWN = 8  # a file of another model differs in hundreds

# timm's name and ours; {i} is the index of a layer. Every tensor has the same shape on both sides.
_LAYER = {
    'blocks.{i}.norm1': 'neck.layers.{i}.norm1',
    'blocks.{i}.attn.qkv': 'neck.layers.{i}.attn.qkv',
    'blocks.{i}.attn.proj': 'neck.layers.{i}.attn.proj',
    'blocks.{i}.norm2': 'neck.layers.{i}.norm2',
    'blocks.{i}.mlp.fc1': 'neck.layers.{i}.ffn.0',
    'blocks.{i}.mlp.fc2': 'neck.layers.{i}.ffn.2',
}
_REST = {'patch_embed.proj': 'neck.tokenizer.patch_embed', 'norm': 'head.norm', 'head': 'head.fc'}
_TOKENS = {'cls_token': 'neck.tokenizer.query', 'pos_embed': 'neck.tokenizer.position'}


def vit_from_timm(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the tensors of a timm model with class token and learned position.

    Args:
        state: Timm's key to tensor.

    Returns:
        Key of ``DistillClassifier`` to tensor; the tensors are the same objects.

    Raises:
        MismatchError: If keys are missing or unknown, naming them.
    """
    layers = [int(match[1]) for key in state if (match := re.match(r'blocks\.(\d+)\.', key))]
    names = _names(max(layers, default=-1) + 1)
    missing = [key for key in names if key not in state]
    unknown = [key for key in state if key not in names]
    if missing or unknown:
        found = (('missing', missing), ('unknown', unknown))
        parts = [f'{label}: {first_few(keys, _SHOWN)}' for label, keys in found if keys]
        raise MismatchError(f'these are not the weights of a vision transformer of timm; {"; ".join(parts)}')
    return {names[key]: value for key, value in state.items()}


def _names(depth: int) -> dict[str, str]:
    """timm's key to ours, for so many layers."""
    layers = {theirs.format(i=i): ours.format(i=i) for i in range(depth) for theirs, ours in _LAYER.items()}
    modules = {**_REST, **layers}
    return {
        **_TOKENS,
        **{f'{theirs}.{end}': f'{ours}.{end}' for theirs, ours in modules.items() for end in ('weight', 'bias')},
    }
