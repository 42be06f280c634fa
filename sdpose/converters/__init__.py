from .from_official import convert_file, convert_weights
from .official import convert_model
from .publishing import publish
from .timm_vit import vit_from_timm

__all__ = ['convert_file', 'convert_model', 'convert_weights', 'publish', 'vit_from_timm']
