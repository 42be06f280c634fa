from .from_official import convert_file, convert_weights
from .official import convert_model, convert_token_module
from .publishing import publish

__all__ = ['convert_file', 'convert_model', 'convert_token_module', 'convert_weights', 'publish']
