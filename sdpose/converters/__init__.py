from .official import convert_token_module

__all__ = ['convert_token_module']
