"""The names that timm gives to the weights of a classifier of this project, written down apart from the converter."""

import re
from collections.abc import Mapping

from torch import Tensor

_NAMES = (
    (r'neck\.tokenizer\.query', r'cls_token'),
    (r'neck\.tokenizer\.position', r'pos_embed'),
    (r'neck\.tokenizer\.patch_embed\.(weight|bias)', r'patch_embed.proj.\1'),
    (r'neck\.layers\.(\d+)\.(norm1|norm2|attn\.qkv|attn\.proj)\.(weight|bias)', r'blocks.\1.\2.\3'),
    (r'neck\.layers\.(\d+)\.ffn\.0\.(weight|bias)', r'blocks.\1.mlp.fc1.\2'),
    (r'neck\.layers\.(\d+)\.ffn\.2\.(weight|bias)', r'blocks.\1.mlp.fc2.\2'),
    (r'head\.norm\.(weight|bias)', r'norm.\1'),
    (r'head\.fc\.(weight|bias)', r'head.\1'),
)


def to_timm(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a classifier under timm's names; each must have one."""
    found = {key: [match.expand(new) for old, new in _NAMES if (match := re.fullmatch(old, key))] for key in state}
    assert all(len(names) == 1 for names in found.values()), found
    return {names[0]: state[key] for key, names in found.items()}
