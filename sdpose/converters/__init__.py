from .from_official import convert_file, convert_weights
from .official import convert_model, convert_token_module
from .publishing import publish
from .timm_vit import vit_from_timm, vit_to_timm

__all__ = [
    'convert_file',
    'convert_model',
    'convert_token_module',
    'convert_weights',
    'publish',
    'vit_from_timm',
    'vit_to_timm',
]
